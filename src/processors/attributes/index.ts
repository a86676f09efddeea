import { z } from 'zod';
import { actionSchema, compileActions } from '../../transform/actions.ts';
import { compileSelection, selection } from '../../transform/match.ts';
import { mapSpans } from '../../pipeline/batches.ts';
import type { Processor, ProcessorFactory } from '../../pipeline/component.ts';

const configSchema = z.strictObject({
  ...selection,
  actions: z
    .array(actionSchema, { error: 'missing required field "actions"' })
    .min(1, { error: 'missing required field "actions"' }),
});

/** Changes attributes of spans. */
export const attributesProcessor: ProcessorFactory = {
  kind: 'processor',
  type: 'attributes',
  configSchema,
  create({ config }): Processor {
    // The register has checked `config` with the schema above.
    const { actions, include, exclude } = config as z.output<typeof configSchema>;
    const change = compileActions(actions);
    const isSelected = compileSelection({ include, exclude });
    return {
      async start() {},
      async shutdown() {},
      process: (batch) =>
        mapSpans(batch, (span) => {
          if (!isSelected(span)) return span;
          const attributes = change(span.attributes);
          return attributes === span.attributes ? span : { ...span, attributes };
        }),
    };
  },
};
