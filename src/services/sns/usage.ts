/** "Amazon SNS pricing": requests are billed by 64 KB of what is published. */
const BILLED_BYTES = 65_536;

export const requestsOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / BILLED_BYTES));

export const usage: Readonly<Record<string, string>> = { PublishRequests: 'requests', SmsMessages: 'messages', PushMessages: 'messages' };
