import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { z } from 'zod';
import { duration, noEffect } from '../../config/schema.ts';
import { RaybridgeError } from '../../errors.ts';
import type { Processor, ProcessorFactory } from '../../pipeline/component.ts';

const percentage = z.int().min(0).max(100).default(0);

const configSchema = z
  .strictObject({
    check_interval: duration.default(0),
    limit_mib: z.int().min(0).default(0),
    /** A fifth of the limit when 0. */
    spike_limit_mib: z.int().min(0).default(0),
    limit_percentage: percentage,
    spike_limit_percentage: percentage,
    min_gc_interval_when_soft_limited: noEffect(duration.optional()),
    min_gc_interval_when_hard_limited: noEffect(duration.optional()),
    max_gc_interval_when_soft_limited: noEffect(duration.optional()),
    max_gc_interval_when_hard_limited: noEffect(duration.optional()),
  })
  .superRefine((limits, context) => {
    const complain = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (limits.check_interval === 0) complain('check_interval', "'check_interval' must be greater than zero");
    if (limits.limit_mib === 0 && limits.limit_percentage === 0) {
      complain('limit_mib', "'limit_mib' or 'limit_percentage' must be greater than zero");
    }
    if (limits.limit_mib > 0 && limits.spike_limit_mib >= limits.limit_mib) {
      complain('spike_limit_mib', "'spike_limit_mib' must be smaller than 'limit_mib'");
    }
  });

type LimiterConfig = z.output<typeof configSchema>;

const mebibyte = 1024 * 1024;
const spikeShare = 0.2;

/** Refuses new data while the process has more memory than it should; what was taken is on disk. */
export const memoryLimiterProcessor: ProcessorFactory = {
  kind: 'processor',
  type: 'memory_limiter',
  configSchema,
  create({ config, context }): Processor {
    // The register has checked `config` with the schema above.
    const checked = config as LimiterConfig;
    const limitBytes = softLimitOf(checked);
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    return {
      async start() {
        timer = setInterval(() => {
          const bytes = ownMemoryBytes();
          if (bytes > limitBytes !== isOver) {
            isOver = !isOver;
            const fields = { component: context.id, bytes, limitBytes };
            if (isOver) context.log.warn(fields, 'memory is over the limit: new data is refused until it is not');
            else context.log.info(fields, 'memory is below the limit again');
          }
        }, checked.check_interval);
        timer.unref();
      },
      async shutdown() {
        clearInterval(timer);
      },
      process: (batch) => batch,
      refusal: () => (isOver ? new RaybridgeError('MEMORY_HIGH', 'data refused due to high memory usage') : undefined),
    };
  },
};

function softLimitOf({
  limit_mib: mebibytes,
  spike_limit_mib: spike,
  limit_percentage: share,
  spike_limit_percentage: spikePercentage,
}: LimiterConfig): number {
  if (mebibytes > 0) return (mebibytes - (spike || mebibytes * spikeShare)) * mebibyte;
  const limit = (machineMemoryBytes() * share) / 100;
  return limit - (spikePercentage > 0 ? (machineMemoryBytes() * spikePercentage) / 100 : limit * spikeShare);
}

/** Of the container where there is a limit, else of the machine. */
function machineMemoryBytes(): number {
  const limited = process.constrainedMemory();
  return limited > 0 && limited < totalmem() ? limited : totalmem();
}

/** Without pages of files: the queue maps its file, and the system takes those back when it wants. */
function ownMemoryBytes(): number {
  try {
    const kilobytes = /^RssAnon:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // Not Linux.
  }
  return process.memoryUsage.rss();
}
