import { describeStore } from '../conformance.ts';
import { openStore } from '../open.ts';

describeStore('memory', async () => ({
  open: (options = {}) => openStore({ store: 'memory', ...options }),
  durable: false,
  remove: async () => undefined,
}));
