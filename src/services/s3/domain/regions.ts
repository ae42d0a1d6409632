/** "Regions and Zones" (AWS), October 2026: one name a group, with the numbers that exist. */
const REGIONS: Readonly<Record<string, string>> = {
  'af-south': '1',
  'ap-east': '12',
  'ap-northeast': '123',
  'ap-south': '12',
  'ap-southeast': '1234567',
  'ca-central': '1',
  'ca-west': '1',
  'cn-north': '1',
  'cn-northwest': '1',
  'eu-central': '12',
  'eu-north': '1',
  'eu-south': '12',
  'eu-west': '123',
  'il-central': '1',
  'me-central': '1',
  'me-south': '1',
  'mx-central': '1',
  'sa-east': '1',
  'us-east': '12',
  'us-gov-east': '1',
  'us-gov-west': '1',
  'us-west': '12',
  'eusc-de-east': '1',
};

export function isRegion(name: string): boolean {
  const match = /^([a-z-]{1,20})-(\d)$/.exec(name);
  const numbers = match?.[1] !== undefined && Object.hasOwn(REGIONS, match[1]) ? REGIONS[match[1]] : undefined;
  return numbers?.includes(match?.[2] ?? ' ') ?? false;
}
