import { z } from 'zod';
import { actionSchema, compileActions } from '../../transform/actions.ts';
import { createResourceChanger } from '../../transform/match.ts';
import { mapSpans } from '../../pipeline/batches.ts';
import type { Processor, ProcessorFactory } from '../../pipeline/component.ts';

const configSchema = z.strictObject({
  attributes: z
    .array(actionSchema, { error: 'missing required field "attributes"' })
    .min(1, { error: 'missing required field "attributes"' }),
});

/** Changes attributes of resources, each distinct one once. */
export const resourceProcessor: ProcessorFactory = {
  kind: 'processor',
  type: 'resource',
  configSchema,
  create({ config }): Processor {
    // The register has checked `config` with the schema above.
    const change = createResourceChanger(compileActions((config as z.output<typeof configSchema>).attributes));
    return { async start() {}, async shutdown() {}, process: (batch) => mapSpans(batch, change) };
  },
};
