import type { ListEventSourcesResponse, ListPartnerEventSourcesResponse } from '@aws-sdk/client-eventbridge';
import type { Operation } from '../../service.ts';

/** "ListEventSources": no partner sends events to a Croft. */
export const listEventSources: Operation<unknown, ListEventSourcesResponse> = async () => ({ EventSources: [] });
/** "ListPartnerEventSources": and no account here is a partner. */
export const listPartnerEventSources: Operation<unknown, ListPartnerEventSourcesResponse> = async () => ({ PartnerEventSources: [] });
