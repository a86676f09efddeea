import { batchOfSpans } from '../../src/pipeline/batches.ts';
import type { Processor, ProcessorFactory } from '../../src/pipeline/component.ts';
import type { Span } from '../../src/model/index.ts';
import { createTestContext, type TestContext } from './context.ts';

/** A processor as the pipeline has it, over spans. */
export interface Processing {
  readonly setting: TestContext;
  readonly processor: Processor;
  /** What is left of the spans. */
  run(spans: readonly Span[]): readonly Span[];
}

/** @throws ZodError: the schema refuses the configuration. */
export function createProcessing(factory: ProcessorFactory, config: object): Processing {
  const setting = createTestContext('tested');
  const processor = factory.create({ config: factory.configSchema.parse(config), context: setting.context });
  if (!('process' in processor)) throw new Error('it gathers traces');
  return { setting, processor, run: (spans) => processor.process(batchOfSpans(spans, 1n))?.spans() ?? [] };
}
