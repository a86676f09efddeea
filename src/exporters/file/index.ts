import { posix } from 'node:path';
import { z } from 'zod';
import { encodeTraces, encodeTracesJson } from '../../codec/index.ts';
import { duration, noEffect, refused } from '../../config/schema.ts';
import { RaybridgeError } from '../../errors.ts';
import type { Span } from '../../model/index.ts';
import type { Batch } from '../../pipeline/batch.ts';
import type { Context, Exporter, ExporterFactory, Refused } from '../../pipeline/component.ts';
import { reportSending } from '../../pipeline/status.ts';
import { compressorOf } from '../../net/compress.ts';
import { type FileWriter, openFileWriter, type Rotation } from './writer.ts';

const rotation = z
  .strictObject({
    max_megabytes: z.int().min(0).default(100),
    max_days: z.int().min(0).default(0),
    max_backups: z.int().min(0).default(100),
    localtime: z.boolean().default(false),
  })
  .transform((config): Rotation => ({
    bytesMax: (config.max_megabytes || 100) * 1024 * 1024,
    daysMax: config.max_days,
    backupsMax: config.max_backups,
    isLocalTime: config.localtime,
  }));

const groupBy = z.strictObject({
  enabled: z.boolean().default(false),
  resource_attribute: z.string().min(1, 'resource_attribute must not be empty').default('fileexporter.path_segment'),
  max_open_files: z.int().min(1).default(100),
});

const directoryPermissions = z
  .string()
  .regex(/^0?[0-7]{3,4}$/, 'expected an octal number such as "0755"')
  .transform((text) => Number.parseInt(text, 8));

/** Keys and defaults of the Collector's exporter (specification: configuration 1.11, "file"). */
const configSchema = z
  .strictObject({
    path: z.string({ error: 'path must be non-empty' }).min(1, 'path must be non-empty'),
    append: z.boolean().default(false),
    format: z.enum(['json', 'proto'], { error: 'format type is not supported; json and proto are' }).default('json'),
    encoding: refused('encoding extensions do not exist here; use format'),
    compression: z.enum(['', 'none', 'zstd'], { error: 'compression is not supported; zstd is' }).default(''),
    compression_params: noEffect(z.unknown().optional()),
    /** Each write is on disk before it is acknowledged. */
    flush_interval: noEffect(duration.optional()),
    rotation: rotation.optional(),
    create_directory: z.boolean().default(false),
    directory_permissions: directoryPermissions.default(0o755),
    group_by: groupBy.prefault({}),
    sending_queue: noEffect(z.unknown().optional()),
    retry_on_failure: noEffect(z.unknown().optional()),
    timeout: noEffect(duration.optional()),
  })
  .refine(({ append, compression }) => !append || compression !== 'zstd', {
    path: ['append'],
    error: 'append and compression enabled at the same time is not supported',
  })
  .refine(({ append, rotation }) => !append || !rotation, {
    path: ['append'],
    error: 'append and rotation enabled at the same time is not supported',
  })
  .refine(({ path, group_by: group }) => !group.enabled || /^[^*]+\*[^*]*$/.test(path), {
    path: ['path'],
    error: 'path must contain exactly one *, and not at its beginning, when group_by is enabled',
  });

type FileConfig = z.output<typeof configSchema>;

/** Writes what passes to a file, or to one for each value of a resource attribute. */
export const fileExporter: ExporterFactory = {
  kind: 'exporter',
  type: 'file',
  configSchema,
  create({ config, context }) {
    // The register has checked `config` with the schema above.
    return createFileExporter(config as FileConfig, context);
  },
};

const gatherBytesMax = 4 * 1024 * 1024;

function createFileExporter(config: FileConfig, context: Context): Exporter {
  const { format, group_by: group } = config;
  const compressor = compressorOf(config.compression);
  /** Used longest ago first. */
  const writers = new Map<string, FileWriter>();

  const writerOf = async (path: string): Promise<FileWriter> => {
    const known = writers.get(path);
    const writer =
      known ??
      (await openFileWriter({
        path,
        isFramed: format === 'proto' || compressor !== undefined,
        // Files of a group come and go within one run, so they are always gone on with.
        isEmptied: !config.append && !config.rotation && !group.enabled,
        rotation: config.rotation,
        directoryMode: config.create_directory || group.enabled ? config.directory_permissions : undefined,
      }));
    writers.delete(path);
    writers.set(path, writer);
    const [oldest] = writers;
    if (oldest && writers.size > group.max_open_files) {
      writers.delete(oldest[0]);
      await oldest[1].close();
    }
    return writer;
  };

  const write = (path: string, message: Uint8Array): Promise<void> =>
    trying(path, async () => {
      const writer = await writerOf(path);
      await writer.write(compressor ? await compressor.compress(message) : message);
    });
  const sync = (path: string): Promise<void> => trying(path, async () => writers.get(path)?.sync());

  return {
    gather: { bytesMax: gatherBytesMax, lingerMs: 0 },
    // One after the other, because they write to the same place.
    lanes: 1,
    async start() {
      if (!group.enabled) await trying(config.path, () => writerOf(config.path));
      reportSending(context, `writes to ${config.path}`);
    },
    async shutdown() {
      for (const writer of writers.values()) await writer.close();
      writers.clear();
    },
    async export({ batches }) {
      if (!group.enabled) {
        for (const batch of batches) await write(config.path, messageOf(batch, format));
        await sync(config.path);
        return;
      }
      const { files, homeless } = groupSpans(
        batches.flatMap((batch) => batch.spans()),
        config,
      );
      for (const [path, spans] of files) {
        await write(path, encode(spans, format));
        await sync(path);
      }
      return { refused: homeless };
    },
  };
}

/** @throws RaybridgeError DESTINATION_UNAVAILABLE: what the file system said. */
async function trying<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new RaybridgeError('DESTINATION_UNAVAILABLE', `${path}: ${said}`, { cause: error });
  }
}

function messageOf(batch: Batch, format: FileConfig['format']): Uint8Array {
  return batch.format === 'otlp_proto' && format === 'proto' ? batch.body : encode(batch.spans(), format);
}

function encode(spans: readonly Span[], format: FileConfig['format']): Uint8Array {
  return format === 'proto' ? encodeTraces(spans) : Buffer.from(encodeTracesJson(spans));
}

/** By file; what names none is refused. */
function groupSpans(
  spans: readonly Span[],
  { path, group_by: group }: FileConfig,
): { readonly files: ReadonlyMap<string, readonly Span[]>; readonly homeless: readonly Refused[] } {
  const files = new Map<string, Span[]>();
  const rest: Span[] = [];
  for (const span of spans) {
    const segment = span.resource.attributes.get(group.resource_attribute);
    const isNamed = typeof segment === 'string' && segment !== '';
    const file = isNamed ? path.replace('*', () => withinFolder(segment)) : undefined;
    if (file === undefined) rest.push(span);
    else {
      const found = files.get(file);
      if (found) found.push(span);
      else files.set(file, [span]);
    }
  }
  if (rest.length === 0) return { files, homeless: [] };
  const message = `the resource has no text in ${group.resource_attribute}, which names the file`;
  const refusal: Refused = {
    format: 'otlp_proto',
    body: encodeTraces(rest),
    items: rest.length,
    code: 'NO_PATH_SEGMENT',
    message,
  };
  return { files, homeless: [refusal] };
}

/** A path segment from outside, without a way up. */
function withinFolder(segment: string): string {
  return posix.join('/', segment.replaceAll('\0', '')).slice(1);
}
