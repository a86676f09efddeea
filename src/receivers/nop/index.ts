import { z } from 'zod';
import type { ReceiverFactory } from '../../pipeline/component.ts';

/** Receives nothing. */
export const nopReceiver: ReceiverFactory = {
  kind: 'receiver',
  type: 'nop',
  configSchema: z.strictObject({}),
  create: () => ({
    async start() {},
    async shutdown() {},
  }),
};
