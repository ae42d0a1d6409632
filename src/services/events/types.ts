import type { CreateConnectionAuthRequestParameters } from '@aws-sdk/client-eventbridge';

export type { Archive, LogConfig, Replay, Target } from '@aws-sdk/client-eventbridge';
export type AuthParameters = CreateConnectionAuthRequestParameters;
