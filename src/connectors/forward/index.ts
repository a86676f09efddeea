import { z } from 'zod';
import type { ConnectorFactory } from '../../pipeline/component.ts';

/** Leads from one pipeline on into those that name it as a receiver. */
export const forwardConnector: ConnectorFactory = {
  kind: 'connector',
  type: 'forward',
  endsPipelines: false,
  configSchema: z.strictObject({}),
  create: () => undefined,
};
