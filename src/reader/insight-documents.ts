import { z } from 'zod';
import { RaybridgeError } from '../errors.ts';
import {
  type Insight,
  insightChanges,
  insightEventsMax,
  insightServicesMax,
  type ServiceName,
} from '../model/index.ts';
import type { Store } from '../pipeline/store.ts';
import type { NodePast, Watch } from '../query/index.ts';

/**
 * What a store keeps of insights: each insight, and for each group what its next minute is judged
 * by. Both are JSON.
 */
export interface InsightDocuments {
  /** All, those that began last first. */
  insights(): Promise<readonly Insight[]>;
  putInsight(insight: Insight): Promise<void>;
  removeInsight(id: string): Promise<void>;
  /** By the ARN of the group; of groups that this version cannot go on with, `unreadable`. */
  watches(): Promise<ReadonlyMap<string, Watch | 'unreadable'>>;
  /** An undefined watch is removed. */
  putWatch(groupArn: string, watch: Watch | undefined): Promise<void>;
}

const insightKind = 'insight';
const watchKind = 'insight_watch';

export function openInsightDocuments(store: Store): InsightDocuments {
  return {
    async insights() {
      const documents = await store.readState(insightKind);
      const all = [...documents].map(([key, text]) => readInsight(key, text));
      return all.sort((one, other) => other.startMinute - one.startMinute || (one.id < other.id ? -1 : 1));
    },
    putInsight: (insight) => store.writeState({ kind: insightKind, key: insight.id, value: JSON.stringify(insight) }),
    removeInsight: (id) => store.writeState({ kind: insightKind, key: id, value: undefined }),
    async watches() {
      const documents = await store.readState(watchKind);
      return new Map([...documents].map(([key, text]) => [key, parse(watchSchema, text) ?? 'unreadable']));
    },
    putWatch: (groupArn, watch) =>
      store.writeState({ kind: watchKind, key: groupArn, value: watch && JSON.stringify(watch) }),
  };
}

function readInsight(key: string, text: string): Insight {
  const insight = parse(insightSchema, text);
  if (insight) return insight;
  throw new RaybridgeError(
    'STORE_FAILED',
    `${insightKind}/${key}: expected a document of this version, got another text`,
  );
}

function parse<Document>(schema: z.ZodType<Document>, text: string): Document | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const minuteSchema = z.int();
const countSchema = z.int().min(0);

// JSON leaves undefined members out; the transformation puts them back.
const serviceSchema = z
  .object({ name: z.string(), type: z.string().optional(), accountId: z.string().optional() })
  .transform(({ name, type, accountId }): ServiceName => ({ name, type, accountId }));

const requestsSchema = z.object({ okCount: countSchema, faultCount: countSchema, totalCount: countSchema });

const insightSchema: z.ZodType<Insight> = z.object({
  id: z.string(),
  groupName: z.string(),
  groupArn: z.string(),
  rootCause: serviceSchema,
  expectedRate: z.number(),
  services: z.array(serviceSchema).max(insightServicesMax),
  startMinute: minuteSchema,
  endMinute: minuteSchema.optional(),
  updatedMinute: minuteSchema,
  summary: z.string(),
  clientRequests: requestsSchema,
  rootCauseRequests: requestsSchema,
  events: z
    .array(
      z.object({
        change: z.enum(insightChanges),
        minute: minuteSchema,
        summary: z.string(),
        clientRequests: requestsSchema,
        rootCauseRequests: requestsSchema,
        topServices: z.array(serviceSchema),
      }),
    )
    .max(insightEventsMax),
});

const pastSchema: z.ZodType<NodePast> = z.object({
  service: serviceSchema,
  requests: z.number().min(0),
  faults: z.number().min(0),
  seenMinute: minuteSchema,
  anomalousSinceMinute: minuteSchema.optional(),
});

const watchSchema: z.ZodType<Watch> = z.object({
  minute: minuteSchema,
  nodes: z.array(pastSchema),
  active: z.array(
    z.object({
      insight: insightSchema,
      members: z.array(z.object({ service: serviceSchema, settled: requestsSchema })).max(insightServicesMax),
      settledClients: requestsSchema,
      troubledMinute: minuteSchema,
    }),
  ),
});
