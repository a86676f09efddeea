import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { createAwsClient } from '../../aws/client.ts';
import { duration } from '../../config/schema.ts';
import type { Component, Context, Intake, ReceiverFactory } from '../../pipeline/component.ts';
import { openCheckpoint } from './checkpoint.ts';
import { createPoll } from './poll.ts';

const configSchema = z.strictObject({
  region: z.string().default(''),
  /** Base URL instead of `https://xray.REGION.amazonaws.com`. */
  endpoint: z.string().default(''),
  role_arn: z.string().default(''),
  external_id: z.string().default(''),
  profile: z.string().default(''),
  access_key_id: z.string().default(''),
  secret_access_key: z.string().default(''),
  proxy_address: z.string().default(''),
  /** From the beginning of one poll to that of the next. */
  interval: duration.refine((ms) => ms >= 1_000, { error: 'must be at least 1s' }).default(180_000),
  /** How far back a first poll looks, and one after a long pause. */
  max_replay: duration.default(900_000),
  /** A filter expression of the X-Ray API; all traces when empty. */
  filter: z.string().default(''),
});

export type PollerConfig = z.output<typeof configSchema>;

/** Brings the traces of AWS X-Ray here, from where they go to any OTLP backend. */
export const awsxrayPollerReceiver: ReceiverFactory = {
  kind: 'receiver',
  type: 'awsxray_poller',
  configSchema,
  create({ config, context, intake }) {
    // The register has checked `config` with the schema above.
    return createPoller(config as PollerConfig, context, intake);
  },
};

function createPoller(config: PollerConfig, context: Context, intake: Intake): Component {
  const { id, log, status } = context;
  const client = createAwsClient({
    service: 'xray',
    region: config.region,
    endpoint: config.endpoint,
    roleArn: config.role_arn,
    externalId: config.external_id,
    sessionName: 'XRayConnectorRoleSession',
    profile: config.profile,
    accessKeyId: config.access_key_id,
    secretAccessKey: config.secret_access_key,
    proxyAddress: config.proxy_address,
  });
  const stopping = new AbortController();
  const nowMs = () => Number(context.nowNs() / 1_000_000n);
  let running: Promise<void> = Promise.resolve();

  const run = async (): Promise<void> => {
    const checkpoint = await openCheckpoint(context.dataDir, id);
    const poll = createPoll({ client, config, context, intake, signal: stopping.signal });
    while (!stopping.signal.aborted) {
      const startedAtMs = nowMs();
      try {
        const earliestMs = startedAtMs - config.max_replay;
        const fromMs = Math.max(earliestMs, checkpoint.readMs() ?? earliestMs);
        await poll({ fromMs, toMs: startedAtMs });
        await checkpoint.write(startedAtMs);
        status.fault(id, undefined);
      } catch (error) {
        if (stopping.signal.aborted) return;
        // The next poll looks from the same time on.
        log.warn({ err: error, component: id }, 'a poll of AWS X-Ray failed; the next one catches up');
        status.fault(id, error instanceof Error ? error.message : String(error));
      }
      const pauseMs = Math.max(0, startedAtMs + config.interval - nowMs());
      await delay(pauseMs, undefined, { signal: stopping.signal, ref: false }).catch(() => {
        // Stopped.
      });
    }
  };

  return {
    async start() {
      running = run();
    },
    async shutdown() {
      stopping.abort();
      await running;
      await client.close();
    },
  };
}
