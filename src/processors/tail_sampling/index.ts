import { digestSpans } from '../../reader/index.ts';
import type { TraceDecision, TraceProcessor, TraceProcessorFactory } from '../../pipeline/component.ts';
import { configSchema, type TailSamplingConfig } from './config.ts';
import { compilePolicy, type GatheredTrace } from './policies.ts';

/** Keeps or drops whole traces, by what is in them. */
export const tailSamplingProcessor: TraceProcessorFactory = {
  kind: 'processor',
  type: 'tail_sampling',
  gathersTraces: true,
  configSchema,
  create({ config, context }): TraceProcessor {
    // The register has checked `config` with the schema above.
    const checked = config as TailSamplingConfig;
    const world = { nowMs: () => performance.now() };
    // Whatever wants a trace dropped is asked first.
    const policies = checked.policies
      .toSorted((a, b) => Number(b.type === 'drop') - Number(a.type === 'drop'))
      .map((policy) => ({ name: policy.name, judge: compilePolicy(policy, world) }));
    const { sampled_cache_size: keptMax, non_sampled_cache_size: droppedMax } = checked.decision_cache;
    const kept = createMemory(keptMax);
    const dropped = createMemory(droppedMax);

    const judge = (trace: GatheredTrace): TraceDecision => {
      let decision: TraceDecision = 'drop';
      for (const { name, judge: ask } of policies) {
        const verdict = ask(trace);
        const labels = { processor: context.id, policy: name, decision: verdict.replace(' ', '_') };
        context.telemetry.count('raybridge_sampling_verdicts_total', labels);
        if (verdict === 'dropped') return 'drop';
        if (verdict !== 'sampled') continue;
        decision = 'keep';
        if (checked.sample_on_first_match) break;
      }
      return decision;
    };

    return {
      gathering: {
        waitMs: checked.decision_wait,
        waitAfterRootMs: checked.decision_wait_after_root_received,
        tracesMax: checked.num_traces,
        waitsForRoom: checked.block_on_overflow,
      },
      async start() {},
      async shutdown() {},
      remembered(traceId) {
        if (kept.has(traceId)) return 'keep';
        return dropped.has(traceId) ? 'drop' : undefined;
      },
      decide(traceId, spans) {
        let digest: ReturnType<GatheredTrace['digest']> | undefined;
        const decision = judge({ traceId, spans, digest: () => (digest ??= digestSpans(traceId, spans)) });
        (decision === 'keep' ? kept : dropped).add(traceId);
        return decision;
      },
    };
  },
};

/** The ids used last, at most so many. */
function createMemory(most: number): { has(id: string): boolean; add(id: string): void } {
  const ids = new Set<string>();
  const add = (id: string): void => {
    if (most === 0) return;
    ids.delete(id);
    ids.add(id);
    const [oldest] = ids;
    if (ids.size > most && oldest !== undefined) ids.delete(oldest);
  };
  return {
    add,
    has(id) {
      if (!ids.has(id)) return false;
      add(id);
      return true;
    },
  };
}
