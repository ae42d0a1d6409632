/** "Amazon ECR pricing": what is stored, and what leaves; the first is a sum over layers, not a meter. */
export const usage = { BytesIn: 'bytes', BytesOut: 'bytes' } as const;
