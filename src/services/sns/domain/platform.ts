import { formatArn } from '../../../kit/arn.ts';
import { invalidParameter, missing } from '../errors.ts';
import { CUSTOM_USER_DATA_BYTES_MAX, PLATFORM_NAME_CHARS_MAX } from '../limits.ts';
import { readArn, type Scope } from './arn.ts';

const PLATFORMS = new Set(['ADM', 'APNS', 'APNS_SANDBOX', 'APNS_VOIP', 'APNS_VOIP_SANDBOX', 'BAIDU', 'GCM', 'MACOS', 'MACOS_SANDBOX', 'MPNS', 'WNS']);
/** Attributes that hold secrets are never shown. */
const SECRETS = ['PlatformCredential', 'PlatformPrincipal'];
const APPLICATION_ATTRIBUTES = new Set([
  ...SECRETS,
  'ApplePlatformBundleID',
  'ApplePlatformTeamID',
  'Enabled',
  'EventDeliveryFailure',
  'EventEndpointCreated',
  'EventEndpointDeleted',
  'EventEndpointUpdated',
  'FailureFeedbackRoleArn',
  'SuccessFeedbackRoleArn',
  'SuccessFeedbackSampleRate',
]);
const ENDPOINT_ATTRIBUTES = new Set(['CustomUserData', 'Enabled', 'Token']);

type Attributes = Readonly<Record<string, string>>;
type Given = Readonly<Record<string, string | undefined>> | undefined;

export const applicationArn = ({ account, region }: Scope, platform: string, name: string): string =>
  formatArn({ service: 'sns', account, region, resource: `app/${platform}/${name}` });
export const endpointArn = ({ account, region }: Scope, platform: string, application: string, id: string): string =>
  formatArn({ service: 'sns', account, region, resource: `endpoint/${platform}/${application}/${id}` });

const SLASHES = 'Wrong number of slashes in relative portion of the ARN.';

export function applicationOfArn(arn: string | undefined, region: string) {
  const { scope, resource } = readArn('PlatformApplicationArn', arn, region);
  const [kind, platform, name, ...more] = resource.split('/');
  if (kind !== 'app' || platform === undefined || name === undefined || more.length > 0) throw invalidParameter('PlatformApplicationArn', SLASHES);
  return { scope, platform, name };
}

export function endpointOfArn(arn: string | undefined, region: string, parameter = 'EndpointArn') {
  const { scope, resource } = readArn(parameter, arn, region);
  const [kind, platform, application, id, ...more] = resource.split('/');
  if (kind !== 'endpoint' || platform === undefined || application === undefined || id === undefined || more.length > 0)
    throw invalidParameter(parameter, SLASHES);
  return { scope, platform, application, id };
}

/** "CreatePlatformApplication": the name and the platform; throws InvalidParameter. */
export function checkApplication(name: string | undefined, platform: string | undefined): { name: string; platform: string } {
  if (name === undefined) throw missing('name');
  if (platform === undefined) throw missing('platform');
  if (name === '') throw invalidParameter(name, 'cannot be empty');
  if (name.length > PLATFORM_NAME_CHARS_MAX) throw invalidParameter(name, `must be at most ${PLATFORM_NAME_CHARS_MAX} characters long`);
  if (!/^[\w.-]+$/.test(name)) throw invalidParameter(name, "must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'");
  if (!PLATFORMS.has(platform)) throw invalidParameter('Platform', `${platform} is not supported`);
  return { name, platform };
}

function given(attributes: Given, known: ReadonlySet<string>): Attributes {
  const checked: Record<string, string> = {};
  for (const [name, value = ''] of Object.entries(attributes ?? {})) {
    if (!known.has(name)) throw invalidParameter('Attributes', `Invalid attribute name: ${name}`);
    checked[name] = name === 'Enabled' ? value.toLowerCase() : value;
  }
  return checked;
}

/** Credentials come in pairs; they are kept, and used for nothing. */
export function applicationAttributes(attributes: Given): Attributes {
  if (attributes === undefined || Object.keys(attributes).length === 0) throw missing('attributes');
  const checked = given(attributes, APPLICATION_ATTRIBUTES);
  if ('PlatformPrincipal' in checked && !('PlatformCredential' in checked))
    throw invalidParameter('Attributes', 'PlatformPrincipal attribute provided without PlatformCredential');
  if ('PlatformCredential' in checked && !('PlatformPrincipal' in checked) && checked['PlatformCredential'] !== '')
    throw invalidParameter('Attributes', 'PlatformCredential attribute provided without PlatformPrincipal');
  return checked;
}

export function endpointAttributes(attributes: Given): Attributes {
  const checked = given(attributes, ENDPOINT_ATTRIBUTES);
  if (Buffer.byteLength(checked['CustomUserData'] ?? '') > CUSTOM_USER_DATA_BYTES_MAX)
    throw invalidParameter(
      'Attributes',
      `Invalid value for attribute: CustomUserData: must be at most ${CUSTOM_USER_DATA_BYTES_MAX} bytes long in UTF-8 encoding`,
    );
  return checked;
}

export const shown = (attributes: Attributes): Attributes => Object.fromEntries(Object.entries(attributes).filter(([name]) => !SECRETS.includes(name)));
