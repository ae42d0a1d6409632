/** "AWS Systems Manager pricing": advanced parameters and higher throughput are billed by interactions. */
export const usage: Readonly<Record<string, string>> = { ParameterInteractions: 'requests' };
