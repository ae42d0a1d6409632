/** Billable dimensions. "Amazon DynamoDB pricing": on-demand request units; storage is what the tables' counters say. */
export const usage: Readonly<Record<string, string>> = {
  ReadRequestUnits: 'units',
  WriteRequestUnits: 'units',
};
