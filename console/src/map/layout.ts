/**
 * Layered drawing of a directed graph from left to right (the method of Sugiyama, Tagawa and Toda):
 * break cycles, put every node into a layer right of all its callers, split long edges with a
 * bend in each layer, order the layers so that few edges cross, then give heights that pull every
 * node towards its neighbours. Parts that are not connected are drawn one below the other.
 *
 * The result depends on the order of the input only: the same graph gives the same picture.
 */
export interface LayoutInput {
  readonly nodes: readonly { readonly key: string }[];
  readonly edges: readonly { readonly key: string; readonly from: string; readonly to: string }[];
  readonly sizes: LayoutSizes;
}

export interface LayoutSizes {
  readonly nodeWidth: number;
  readonly nodeHeight: number;
  /** Between layers, and between two neighbours of a layer. */
  readonly gapX: number;
  readonly gapY: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  /** Centres of the nodes. */
  readonly nodes: ReadonlyMap<string, Point>;
  /** From the centre of the caller over the bends to the centre of the callee; two equal points for a call to itself. */
  readonly edges: ReadonlyMap<string, readonly Point[]>;
  readonly width: number;
  readonly height: number;
}

const orderSweeps = 8;
const heightSweeps = 10;

export function layOut({ nodes, edges, sizes }: LayoutInput): Layout {
  const places = new Map<string, Point>();
  const bends = new Map<string, readonly Point[]>();
  let [width, height] = [0, 0];
  for (const part of connectedParts(nodes, edges)) {
    const drawn = drawPart(part, sizes);
    const lift = ({ x, y }: Point): Point => ({ x, y: y + height });
    for (const [key, point] of drawn.nodes) places.set(key, lift(point));
    for (const [pair, points] of drawn.bends) bends.set(pair, points.map(lift));
    width = Math.max(width, drawn.width);
    height += drawn.height + sizes.gapY;
  }
  return { nodes: places, edges: routeEdges(edges, places, bends), width, height: Math.max(0, height - sizes.gapY) };
}

interface Part {
  readonly keys: readonly string[];
  /** Pairs of different nodes, each once, as indexes into keys. */
  readonly pairs: readonly (readonly [number, number])[];
}

/** The nodes that are joined by edges in whatever direction; the largest part first. */
function connectedParts(nodes: LayoutInput['nodes'], edges: LayoutInput['edges']): readonly Part[] {
  const neighbours = new Map<string, string[]>(nodes.map(({ key }) => [key, []]));
  const known = edges.filter(({ from, to }) => from !== to && neighbours.has(from) && neighbours.has(to));
  for (const { from, to } of known) {
    neighbours.get(from)?.push(to);
    neighbours.get(to)?.push(from);
  }
  const partOf = new Map<string, number>();
  let count = 0;
  for (const { key } of nodes) {
    if (partOf.has(key)) continue;
    const waiting = [key];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (partOf.has(next)) continue;
      partOf.set(next, count);
      waiting.push(...(neighbours.get(next) ?? []));
    }
    count += 1;
  }
  return Array.from({ length: count }, (_, part) =>
    toPart(
      nodes.filter(({ key }) => partOf.get(key) === part),
      known,
    ),
  ).toSorted((a, b) => b.keys.length - a.keys.length);
}

function toPart(nodes: LayoutInput['nodes'], edges: LayoutInput['edges']): Part {
  const index = new Map(nodes.map(({ key }, at) => [key, at]));
  const pairs = new Map<string, readonly [number, number]>();
  for (const edge of edges) {
    const [from, to] = [index.get(edge.from), index.get(edge.to)];
    if (from !== undefined && to !== undefined) pairs.set(`${from}>${to}`, [from, to]);
  }
  return { keys: nodes.map(({ key }) => key), pairs: [...pairs.values()] };
}

interface Drawn {
  readonly nodes: ReadonlyMap<string, Point>;
  /** By `from>to` of keys, in the direction of the edge. */
  readonly bends: ReadonlyMap<string, readonly Point[]>;
  readonly width: number;
  readonly height: number;
}

function drawPart(part: Part, sizes: LayoutSizes): Drawn {
  const acyclic = breakCycles(part);
  const ranks = rank(part.keys.length, acyclic);
  const chains = splitLongEdges(acyclic, ranks);
  const layers = orderLayers(chains);
  const isBend = (vertex: number) => vertex >= part.keys.length;
  const y = heights(layers, chains, (vertex) => (isBend(vertex) ? sizes.nodeHeight / 4 : sizes.nodeHeight), sizes.gapY);
  const x = (vertex: number) => (chains.ranks[vertex] ?? 0) * (sizes.nodeWidth + sizes.gapX) + sizes.nodeWidth / 2;
  const pointOf = (vertex: number): Point => ({ x: x(vertex), y: y[vertex] ?? 0 });
  const bends = new Map(
    acyclic.map((edge, at) => {
      const points = (chains.bendsOf[at] ?? []).map(pointOf);
      return edge.reversed
        ? [`${part.keys[edge.to]}>${part.keys[edge.from]}`, points.toReversed()]
        : [`${part.keys[edge.from]}>${part.keys[edge.to]}`, points];
    }),
  );
  return {
    nodes: new Map(part.keys.map((key, vertex) => [key, pointOf(vertex)])),
    bends,
    width: layers.length * (sizes.nodeWidth + sizes.gapX) - sizes.gapX,
    height: Math.max(...part.keys.map((_, vertex) => y[vertex] ?? 0)) + sizes.nodeHeight / 2,
  };
}

interface AcyclicEdge {
  readonly from: number;
  readonly to: number;
  /** The real edge runs from `to` to `from`. */
  readonly reversed: boolean;
}

/** Turns the edges round that lead back to where a depth-first walk came from. Entry nodes walk first. */
function breakCycles({ keys, pairs }: Part): readonly AcyclicEdge[] {
  const outgoing = listsOf(keys.length, pairs);
  const called = new Set(pairs.map(([, to]) => to));
  const starts = keys.map((_, vertex) => vertex).toSorted((a, b) => Number(called.has(a)) - Number(called.has(b)));
  const state = new Uint8Array(keys.length); // 0 not seen, 1 on the path, 2 done
  const back = new Set<string>();
  for (const start of starts) {
    const path = state[start] === 0 ? [{ vertex: start, next: 0 }] : [];
    state[start] ||= 1;
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const to = outgoing[top.vertex]?.[top.next];
      top.next += 1;
      if (to === undefined) {
        state[top.vertex] = 2;
        path.pop();
      } else if (state[to] === 1) {
        back.add(`${top.vertex}>${to}`);
      } else if (state[to] === 0) {
        state[to] = 1;
        path.push({ vertex: to, next: 0 });
      }
    }
  }
  return pairs.map(([from, to]) =>
    back.has(`${from}>${to}`) ? { from: to, to: from, reversed: true } : { from, to, reversed: false },
  );
}

/** The longest path from an entry gives the layer; entries then move right, next to the first node they call. */
function rank(count: number, edges: readonly AcyclicEdge[]): number[] {
  const ranks = Array.from({ length: count }, () => 0);
  const waitsFor = Array.from({ length: count }, () => 0);
  const outgoing = listsOf(
    count,
    edges.map(({ from, to }) => [from, to]),
  );
  for (const { to } of edges) waitsFor[to] = (waitsFor[to] ?? 0) + 1;
  const entries = waitsFor.flatMap((waits, vertex) => (waits === 0 ? [vertex] : []));
  const ready = [...entries];
  for (let vertex = ready.pop(); vertex !== undefined; vertex = ready.pop()) {
    for (const to of outgoing[vertex] ?? []) {
      ranks[to] = Math.max(ranks[to] ?? 0, (ranks[vertex] ?? 0) + 1);
      waitsFor[to] = (waitsFor[to] ?? 0) - 1;
      if (waitsFor[to] === 0) ready.push(to);
    }
  }
  for (const entry of entries) {
    const callees = (outgoing[entry] ?? []).map((to) => ranks[to] ?? 0);
    if (callees.length > 0) ranks[entry] = Math.min(...callees) - 1;
  }
  return ranks;
}

interface Chains {
  /** Layer of each vertex; those after the nodes are bends. */
  readonly ranks: readonly number[];
  /** Edges between neighbouring layers. */
  readonly incoming: readonly (readonly number[])[];
  readonly outgoing: readonly (readonly number[])[];
  /** The bends of each edge, from left to right. */
  readonly bendsOf: readonly (readonly number[])[];
}

function splitLongEdges(edges: readonly AcyclicEdge[], nodeRanks: readonly number[]): Chains {
  const ranks = [...nodeRanks];
  const steps: [number, number][] = [];
  const bendsOf = edges.map(({ from, to }) => {
    const bends: number[] = [];
    let last = from;
    for (let layer = (ranks[from] ?? 0) + 1; layer < (ranks[to] ?? 0); layer += 1) {
      const bend = ranks.push(layer) - 1;
      steps.push([last, bend]);
      bends.push(bend);
      last = bend;
    }
    steps.push([last, to]);
    return bends;
  });
  return {
    ranks,
    outgoing: listsOf(ranks.length, steps),
    incoming: listsOf(
      ranks.length,
      steps.map(([from, to]) => [to, from]),
    ),
    bendsOf,
  };
}

/** Sweeps over the layers, each time sorting one by the median place of its neighbours, and keeps the best order seen. */
function orderLayers(chains: Chains): number[][] {
  let layers = walkOrder(chains);
  let best = layers;
  let bestCrossings = countCrossings(layers, chains);
  for (let sweep = 0; sweep < orderSweeps && bestCrossings > 0; sweep += 1) {
    layers =
      sweep % 2 === 0 ? sortForwards(layers, chains) : sortForwards(layers.toReversed(), flip(chains)).toReversed();
    const crossings = countCrossings(layers, chains);
    if (crossings < bestCrossings) [best, bestCrossings] = [layers, crossings];
  }
  return best;
}

/** Vertices in the order of a depth-first walk from the entries, which keeps families together. */
function walkOrder({ ranks, incoming, outgoing }: Chains): number[][] {
  const layers: number[][] = Array.from({ length: Math.max(...ranks) + 1 }, () => []);
  const seen = new Set<number>();
  const waiting = ranks.flatMap((_, vertex) => (incoming[vertex]?.length ? [] : [vertex])).toReversed();
  for (let vertex = waiting.pop(); vertex !== undefined; vertex = waiting.pop()) {
    if (seen.has(vertex)) continue;
    seen.add(vertex);
    layers[ranks[vertex] ?? 0]?.push(vertex);
    waiting.push(...(outgoing[vertex] ?? []).toReversed());
  }
  return layers;
}

function sortForwards(layers: readonly (readonly number[])[], { incoming }: Pick<Chains, 'incoming'>): number[][] {
  const sorted: number[][] = [];
  for (const layer of layers) {
    const before = placesIn(sorted.at(-1) ?? []);
    const wishes = new Map(layer.map((vertex, at) => [vertex, median(incoming[vertex], before) ?? at]));
    sorted.push(layer.toSorted((a, b) => (wishes.get(a) ?? 0) - (wishes.get(b) ?? 0)));
  }
  return sorted;
}

function flip({ incoming, outgoing }: Chains): Pick<Chains, 'incoming'> & Pick<Chains, 'outgoing'> {
  return { incoming: outgoing, outgoing: incoming };
}

function median(neighbours: readonly number[] = [], places: ReadonlyMap<number, number>): number | undefined {
  const sorted = neighbours.map((vertex) => places.get(vertex) ?? 0).toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined || sorted.length % 2 === 1) return upper;
  return (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** Pairs of edges that cross between neighbouring layers, counted with a tree of partial sums (Barth, Mutzel, Jünger). */
function countCrossings(layers: readonly (readonly number[])[], { outgoing }: Chains): number {
  let crossings = 0;
  layers.forEach((layer, at) => {
    const next = layers[at + 1] ?? [];
    const places = placesIn(next);
    const sums = new Int32Array(next.length + 1);
    let seen = 0;
    for (const vertex of layer) {
      const ends = (outgoing[vertex] ?? []).map((to) => places.get(to) ?? 0);
      for (const end of ends) crossings += seen - sumUpTo(sums, end + 1);
      for (const end of ends) addAt(sums, end + 1);
      seen += ends.length;
    }
  });
  return crossings;
}

function sumUpTo(sums: Int32Array, place: number): number {
  let sum = 0;
  for (let at = place; at > 0; at -= at & -at) sum += sums[at] ?? 0;
  return sum;
}

function addAt(sums: Int32Array, place: number): void {
  for (let at = place; at < sums.length; at += at & -at) sums[at] = (sums[at] ?? 0) + 1;
}

/** Centre heights by vertex: every vertex as near as its layer allows to the mean of its neighbours. */
function heights(
  layers: readonly (readonly number[])[],
  { incoming, outgoing }: Chains,
  sizeOf: (vertex: number) => number,
  gap: number,
): number[] {
  const y: number[] = [];
  for (const layer of layers) {
    let at = 0;
    for (const vertex of layer) {
      y[vertex] = at + sizeOf(vertex) / 2;
      at += sizeOf(vertex) + gap;
    }
  }
  for (let sweep = 0; sweep <= heightSweeps; sweep += 1) {
    const last = sweep === heightSweeps;
    const forwards = sweep % 2 === 0;
    for (const layer of forwards ? layers : layers.toReversed()) {
      const wishes = layer.map((vertex) => {
        const left = incoming[vertex] ?? [];
        const right = outgoing[vertex] ?? [];
        const pulls = last ? [...left, ...right] : forwards ? left : right;
        return mean(pulls.map((neighbour) => y[neighbour] ?? 0)) ?? y[vertex] ?? 0;
      });
      spread(layer, wishes, sizeOf, gap).forEach((height, at) => {
        const vertex = layer[at];
        if (vertex !== undefined) y[vertex] = height;
      });
    }
  }
  const top = Math.min(...y.map((centre, vertex) => centre - sizeOf(vertex) / 2));
  return y.map((centre) => centre - top);
}

/**
 * The heights nearest to the wishes, in the sense of least squares, that keep order and distance.
 * Without the distances this is isotonic regression: neighbours that want to pass each other
 * become one block at their common mean (pool adjacent violators).
 */
function spread(
  layer: readonly number[],
  wishes: readonly number[],
  sizeOf: (vertex: number) => number,
  gap: number,
): number[] {
  const offsets: number[] = [];
  layer.forEach((vertex, at) => {
    const before = layer[at - 1];
    offsets.push(before === undefined ? 0 : (offsets[at - 1] ?? 0) + sizeOf(before) / 2 + gap + sizeOf(vertex) / 2);
  });
  const blocks: { sum: number; count: number }[] = [];
  wishes.forEach((wish, at) => {
    let block = { sum: wish - (offsets[at] ?? 0), count: 1 };
    for (let above = blocks.at(-1); above && above.sum / above.count > block.sum / block.count; above = blocks.at(-1)) {
      block = { sum: above.sum + block.sum, count: above.count + block.count };
      blocks.pop();
    }
    blocks.push(block);
  });
  return blocks
    .flatMap(({ sum, count }) => Array.from({ length: count }, () => sum / count))
    .map((height, at) => height + (offsets[at] ?? 0));
}

function routeEdges(
  edges: LayoutInput['edges'],
  places: ReadonlyMap<string, Point>,
  bends: ReadonlyMap<string, readonly Point[]>,
): ReadonlyMap<string, readonly Point[]> {
  const routes = new Map<string, readonly Point[]>();
  for (const { key, from, to } of edges) {
    const [start, end] = [places.get(from), places.get(to)];
    if (start && end) routes.set(key, [start, ...(bends.get(`${from}>${to}`) ?? []), end]);
  }
  return routes;
}

function listsOf(count: number, pairs: readonly (readonly [number, number])[]): number[][] {
  const lists: number[][] = Array.from({ length: count }, () => []);
  for (const [from, to] of pairs) lists[from]?.push(to);
  return lists;
}

function placesIn(layer: readonly number[]): ReadonlyMap<number, number> {
  return new Map(layer.map((vertex, at) => [vertex, at]));
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
