import { z } from 'zod';
import {
  type Insight,
  insightChanges,
  insightEventsMax,
  insightServicesMax,
  type ServiceName,
} from '../model/index.ts';
import type { Store } from '../pipeline/store.ts';
import type { NodePast, Watch } from '../query/index.ts';
import { openState } from './state.ts';

/** What a store keeps of insights: each insight, and for each group what its next minute is judged by. */
export interface InsightDocuments {
  /** Those that began last first. */
  list(): Promise<readonly Insight[]>;
  put(insights: Iterable<Insight>): Promise<void>;
  remove(ids: readonly string[]): Promise<void>;
  /** By the ARN of the group; `unreadable` where this version cannot go on. */
  watches(): Promise<ReadonlyMap<string, Watch | 'unreadable'>>;
  /** An undefined watch is removed. */
  putWatch(groupArn: string, watch: Watch | undefined): Promise<void>;
}

export function openInsightDocuments({
  store,
  nowNs,
}: {
  readonly store: Store;
  readonly nowNs: () => bigint;
}): InsightDocuments {
  const insights = openState({ store, nowNs, kind: 'insight', schema: insightSchema });
  const watches = openState({ store, nowNs, kind: 'insight_watch', schema: watchSchema });

  return {
    async list() {
      const all = [...(await insights.read()).values()];
      return all.sort((one, other) => other.startMinute - one.startMinute || (one.id < other.id ? -1 : 1));
    },
    async put(changed) {
      const all = [...changed];
      if (all.length === 0) return;
      await insights.change(async (_, write) => {
        for (const insight of all) await write(insight.id, insight);
      });
    },
    async remove(ids) {
      if (ids.length === 0) return;
      await insights.change(async (_, write) => {
        for (const id of ids) await write(id, undefined);
      });
    },
    watches: () => watches.read(),
    putWatch: (groupArn, watch) => watches.change((_, write) => write(groupArn, watch)),
  };
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

const readableWatchSchema: z.ZodType<Watch> = z.object({
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

/** Insights can begin anew, so a watch of another version keeps nobody from reading the others. */
const watchSchema = readableWatchSchema.or(z.literal('unreadable')).catch('unreadable');
