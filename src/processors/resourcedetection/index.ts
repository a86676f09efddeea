import { z } from 'zod';
import { duration, httpClient, noEffect, warned } from '../../config/schema.ts';
import type { Attributes, AttributeValue } from '../../model/index.ts';
import { mapSpans } from '../../pipeline/batches.ts';
import type { Processor, ProcessorFactory } from '../../pipeline/component.ts';
import { createResourceChanger } from '../../transform/match.ts';
import { detectorNames, detectors, foreignDetectors } from './detectors.ts';

const detectorSettings = z
  .looseObject({ resource_attributes: z.record(z.string(), z.strictObject({ enabled: z.boolean() })).default({}) })
  .prefault({});

/** Of the HTTP client, those that stand flat. */
const { endpoint: _endpoint, headers: _headers, ...client } = httpClient;

const configSchema = z.strictObject({
  ...Object.fromEntries(Object.entries(client).map(([name, schema]) => [name, noEffect(schema.optional())])),
  detectors: z
    .array(
      z.string().refine((name) => detectors.has(name) || foreignDetectors.has(name), {
        error: ({ input }) => `invalid detector key: ${JSON.stringify(input)}; there are ${detectorNames.join(', ')}`,
      }),
    )
    .default(['env']),
  /** Replaces what the data says of itself. */
  override: z.boolean().default(true),
  timeout: duration.default(5_000),
  /** 0: detect once. */
  refresh_interval: duration.default(0),
  attributes: warned(z.array(z.string()).optional(), 'is a former key: only these attributes are added'),
  ...Object.fromEntries(detectorNames.map((name) => [name, detectorSettings])),
  ...Object.fromEntries([...foreignDetectors].map((name) => [name, noEffect(z.unknown().optional())])),
});

interface DetectionConfig {
  readonly detectors: readonly string[];
  readonly override: boolean;
  readonly timeout: number;
  readonly refresh_interval: number;
  readonly attributes?: readonly string[];
  readonly [detector: string]: unknown;
}

/** Adds to each resource what this process can find out about where it runs. */
export const resourcedetectionProcessor: ProcessorFactory = {
  kind: 'processor',
  type: 'resourcedetection',
  configSchema,
  create({ config, context }): Processor {
    // The register has checked `config` with the schema above.
    const checked = config as DetectionConfig;
    const { override, refresh_interval: refreshMs } = checked;
    let change = createResourceChanger((attributes) => attributes);
    let timer: NodeJS.Timeout | undefined;

    const detect = async (): Promise<void> => {
      const found = await detectAll(checked, (name, error) =>
        context.log.debug({ err: error, component: context.id, detector: name }, 'a detector found nothing'),
      );
      change = createResourceChanger((attributes) => merge(attributes, found, override));
      context.log.info({ component: context.id, attributes: Object.fromEntries(found) }, 'detected the resource');
    };
    return {
      async start() {
        for (const name of checked.detectors.filter((one) => foreignDetectors.has(one))) {
          context.log.warn(
            { component: context.id, detector: name },
            'this detector is not implemented; it is left out',
          );
        }
        await detect();
        if (refreshMs === 0) return;
        timer = setInterval(() => void detect(), refreshMs);
        timer.unref();
      },
      async shutdown() {
        clearInterval(timer);
      },
      process: (batch) => mapSpans(batch, (span) => change(span)),
    };
  },
};

function merge(attributes: Attributes, found: ReadonlyMap<string, AttributeValue>, override: boolean): Attributes {
  if (found.size === 0) return attributes;
  return override ? new Map([...attributes, ...found]) : new Map([...found, ...attributes]);
}

/** For each attribute the first detector that gives it wins. */
async function detectAll(
  config: DetectionConfig,
  onFailure: (name: string, error: unknown) => void,
): Promise<ReadonlyMap<string, AttributeValue>> {
  const world = { env: process.env, timeoutMs: config.timeout };
  const all = await Promise.all(
    config.detectors.map(async (name) => {
      try {
        const settings = detectorSettings.safeParse(config[name] ?? {}).data?.resource_attributes ?? {};
        const detected = await detectors.get(name)?.(world);
        return [...(detected ?? [])].filter(([, { isDefault, name: key }]) => settings[key]?.enabled ?? isDefault);
      } catch (error) {
        onFailure(name, error);
        return [];
      }
    }),
  );
  const merged = new Map<string, AttributeValue>();
  for (const [key, { value }] of all.flat()) if (!merged.has(key)) merged.set(key, value);
  if (!config.attributes) return merged;
  const wanted = new Set(config.attributes);
  return new Map([...merged].filter(([key]) => wanted.has(key)));
}
