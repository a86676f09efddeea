import type { Config, PipelineConfig } from '../config/index.ts';

/**
 * The ways of a configuration: what a record is waiting for in the queue, and what happens to it on
 * the way there. A pipeline has one for each of its exporters; a `forward` connector leads on into other
 * pipelines; a processor that gathers traces ends a way, and others begin behind it.
 */
export interface Route {
  /** Name in the queue: `traces>awsxray`, `traces>tail_sampling>awsxray`. */
  readonly destination: string;
  readonly steps: readonly Step[];
  readonly end: { readonly kind: 'exporter'; readonly id: string } | { readonly kind: 'stage'; readonly step: Step };
  /** Behind a stage. */
  readonly next: readonly Route[];
}

/** A processor of a pipeline; each pipeline has its own. */
export interface Step {
  readonly pipeline: string;
  readonly processor: string;
}

export interface RouteRules {
  /** Whether the processor of this id gathers traces. */
  gathers(id: string): boolean;
  /** Whether the connector of this id only leads on. */
  forwards(id: string): boolean;
}

export function routesOf(
  config: Pick<Config, 'pipelines'>,
  pipeline: PipelineConfig,
  rules: RouteRules,
): readonly Route[] {
  return within(config, pipeline, { name: pipeline.id, steps: [], rules });
}

/** Of routes and all behind them. */
export function destinationsIn(routes: readonly Route[]): readonly string[] {
  return routes.flatMap(({ destination, next }) => [destination, ...destinationsIn(next)]);
}

interface Way {
  /** So far. */
  readonly name: string;
  readonly steps: readonly Step[];
  readonly rules: RouteRules;
}

function within(config: Pick<Config, 'pipelines'>, pipeline: PipelineConfig, way: Way): readonly Route[] {
  const steps = pipeline.processors.map((processor) => ({ pipeline: pipeline.id, processor }));
  return from(config, pipeline, { ...way, rest: steps });
}

/** Names hold slashes but no symbols, so the sign keeps `traces` and `a/b` from `traces/a` and `b`. */
function from(
  config: Pick<Config, 'pipelines'>,
  pipeline: PipelineConfig,
  { name, steps, rest, rules }: Way & { readonly rest: readonly Step[] },
): readonly Route[] {
  const at = rest.findIndex(({ processor }) => rules.gathers(processor));
  const stage = rest[at];
  if (stage) {
    const destination = `${name}>${stage.processor}`;
    const next = from(config, pipeline, { name: destination, steps: [], rest: rest.slice(at + 1), rules });
    return [{ destination, steps: [...steps, ...rest.slice(0, at)], end: { kind: 'stage', step: stage }, next }];
  }
  const all = [...steps, ...rest];
  return pipeline.exporters.flatMap((id): readonly Route[] => {
    const destination = `${name}>${id}`;
    if (!rules.forwards(id)) return [{ destination, steps: all, end: { kind: 'exporter', id }, next: [] }];
    return config.pipelines
      .filter(({ receivers }) => receivers.includes(id))
      .flatMap((other) => within(config, other, { name: `${destination}>${other.id}`, steps: all, rules }));
  });
}
