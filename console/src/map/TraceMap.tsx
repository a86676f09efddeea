import { Background, Controls, ReactFlow, ReactFlowProvider, useReactFlow } from '@xyflow/react';
import type { Edge, EdgeChange, Node, NodeChange, OnMove } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { useEffect, useMemo, useRef } from 'react';
import type { JSX, KeyboardEvent, RefObject } from 'react';
import { countOf } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { spellOutcomes } from '../outcome/outcome.ts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { CallEdge } from './CallEdge.tsx';
import type { CallEdgeData } from './CallEdge.tsx';
import { ServiceNode } from './ServiceNode.tsx';
import type { ServiceNodeData } from './ServiceNode.tsx';
import styles from './TraceMap.module.css';
import { shortName, typeLabel } from './graph.ts';
import type { MapEdge, MapGraph, MapNode } from './graph.ts';
import type { Layout } from './layout.ts';
import { nodeSize } from './nodeSize.ts';
import { useLayout } from './useLayout.ts';
import type { Placed } from './useLayout.ts';

const nodeTypes = { service: ServiceNode };
const edgeTypes = { call: CallEdge };

export interface TraceMapProps {
  readonly graph: MapGraph;
  /** The time over which the graph counts; undefined for one trace, which has calls and no rate. */
  readonly rangeSeconds: number | undefined;
  /** Key of the chosen node or edge. */
  readonly selected?: string | undefined;
  readonly onSelect?: ((key: string | undefined) => void) | undefined;
  readonly label: string;
  /** Without controls and labels on the calls, where there is little room. */
  readonly small?: boolean;
}

export function TraceMap(props: TraceMapProps): JSX.Element {
  return (
    <ReactFlowProvider>
      <Picture {...props} />
    </ReactFlowProvider>
  );
}

function Picture(props: TraceMapProps): JSX.Element {
  const placed = useLayout(props.graph);
  return placed ? <Flow {...props} {...placed} /> : <div className={styles.map} data-small={props.small} aria-busy />;
}

function Flow({
  graph,
  layout,
  rangeSeconds,
  selected,
  onSelect,
  label,
  small = false,
}: TraceMapProps & Placed): JSX.Element {
  const nodes = useMemo(
    () => graph.nodes.map((node) => toFlowNode({ node, layout, rangeSeconds, selected })),
    [graph, layout, rangeSeconds, selected],
  );
  const edges = useMemo(
    () => toFlowEdges({ graph, layout, rangeSeconds, selected }),
    [graph, layout, rangeSeconds, selected],
  );
  const frame = useRef<HTMLDivElement>(null);
  const { fit, onMove } = useFit(graph, frame);
  useShortcuts({ '.': fit });
  const select = (changes: readonly (NodeChange | EdgeChange)[]) => {
    const change = changes.find((candidate) => candidate.type === 'select' && candidate.selected);
    if (change && 'id' in change) onSelect?.(change.id);
  };
  return (
    <div
      ref={frame}
      className={styles.map}
      data-small={small}
      role="group"
      aria-label={label}
      onKeyDown={walkByArrow(graph, layout)}
    >
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        onNodesChange={select}
        onEdgesChange={select}
        onMove={onMove}
        onPaneClick={() => onSelect?.(undefined)}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={onSelect !== undefined}
        edgesFocusable={onSelect !== undefined}
        elementsSelectable={onSelect !== undefined}
        deleteKeyCode={null}
        selectionKeyCode={null}
        multiSelectionKeyCode={null}
        zoomOnScroll={!small}
        preventScrolling={!small}
        minZoom={0.1}
        maxZoom={1.6}
        fitView
        fitViewOptions={fitOptions}
        onlyRenderVisibleElements={graph.nodes.length > 150}
      >
        <Background gap={24} size={1} />
        {small ? undefined : <Controls showInteractive={false} position="bottom-left" fitViewOptions={fitOptions} />}
      </ReactFlow>
    </div>
  );
}

const fitOptions = { padding: 0.08, maxZoom: 1 };

/**
 * Fits the picture when other services are shown than before, and when its frame changes size,
 * until the reader moves it. A mere refresh leaves the view alone.
 */
function useFit(
  graph: MapGraph,
  frame: RefObject<HTMLElement | null>,
): { readonly fit: () => void; readonly onMove: OnMove } {
  const { fitView } = useReactFlow();
  const moved = useRef(false);
  const shape = graph.nodes.map(({ key }) => key).join('\n');
  useEffect(() => {
    moved.current = false;
    void fitView(fitOptions);
  }, [shape, fitView]);
  useEffect(() => {
    if (!frame.current) return undefined;
    const observer = new ResizeObserver(() => void (moved.current || fitView(fitOptions)));
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, [frame, fitView]);
  return {
    fit() {
      moved.current = false;
      void fitView(fitOptions);
    },
    // Moves that the program makes come without an event.
    onMove: (event) => void (moved.current ||= event !== null),
  };
}

interface Drawing {
  readonly layout: Layout;
  readonly rangeSeconds: number | undefined;
  readonly selected: string | undefined;
}

function toFlowNode({
  node,
  layout,
  rangeSeconds,
  selected,
}: Drawing & { readonly node: MapNode }): Node<ServiceNodeData, 'service'> {
  const centre = layout.nodes.get(node.key) ?? { x: 0, y: 0 };
  const { width, height } = nodeSize;
  return {
    id: node.key,
    type: 'service',
    position: { x: centre.x - width / 2, y: centre.y - height / 2 },
    width,
    height,
    measured: { width, height },
    data: { node, rangeSeconds },
    selected: node.key === selected,
    ariaLabel: spellNode(node),
    focusable: true,
  };
}

function toFlowEdges({
  graph,
  layout,
  rangeSeconds,
  selected,
}: Drawing & { readonly graph: MapGraph }): Edge<CallEdgeData, 'call'>[] {
  const names = new Map(graph.nodes.map(({ key, name }) => [key, shortName(name)]));
  const busiest = graph.edges.reduce((max, { counts }) => Math.max(max, counts.total), 1);
  const lift = nodeSize.ringCentre - nodeSize.height / 2;
  return graph.edges.map((edge) => ({
    id: edge.key,
    type: 'call',
    source: edge.from,
    target: edge.to,
    selected: edge.key === selected,
    ariaLabel: spellEdge(edge, names),
    data: {
      edge,
      rangeSeconds,
      points: (layout.edges.get(edge.key) ?? []).map(({ x, y }) => ({ x, y: y + lift })),
      // Logarithmic, because the busiest call is often a thousand times as frequent as the rarest.
      weight: busiest === 1 ? 0 : Math.log1p(edge.counts.total) / Math.log1p(busiest),
    },
  }));
}

export function spellNode(node: MapNode): string {
  const latency = node.averageResponseTime === undefined ? [] : [`average ${formatDuration(node.averageResponseTime)}`];
  const traffic = node.client ? [] : [countOf(node.counts.total, 'request'), spellOutcomes(node.counts)];
  const folded = node.members ? [`${countOf(node.members.length, 'node')} folded`] : [];
  return [node.name, typeLabel(node.type), ...folded, ...traffic, ...latency].join(', ');
}

function spellEdge(edge: MapEdge, names: ReadonlyMap<string, string>): string {
  const ends = `${names.get(edge.from)} to ${names.get(edge.to)}`;
  return edge.link
    ? `Link from ${ends}`
    : `Calls from ${ends}, ${countOf(edge.counts.total, 'call')}, ${spellOutcomes(edge.counts)}`;
}

/** Arrow keys on a focused node: right to a callee, left to a caller, up and down to the neighbour in its layer. */
function walkByArrow(graph: MapGraph, layout: Layout) {
  return (event: KeyboardEvent<HTMLElement>) => {
    const focused = event.target instanceof Element ? event.target.closest('.react-flow__node') : undefined;
    const key = focused?.getAttribute('data-id');
    if (!key || !event.key.startsWith('Arrow')) return;
    event.preventDefault();
    event.stopPropagation();
    const next = neighbour({ graph, layout, key, arrow: event.key });
    const nodes = event.currentTarget.querySelectorAll<HTMLElement>('.react-flow__node');
    [...nodes].find((node) => node.dataset['id'] === next)?.focus();
  };
}

function neighbour({
  graph,
  layout,
  key,
  arrow,
}: {
  graph: MapGraph;
  layout: Layout;
  key: string;
  arrow: string;
}): string | undefined {
  const here = layout.nodes.get(key);
  if (!here) return undefined;
  if (arrow === 'ArrowRight') return graph.edges.find(({ from, to }) => from === key && to !== key)?.to;
  if (arrow === 'ArrowLeft') return graph.edges.find(({ from, to }) => to === key && from !== key)?.from;
  const step = arrow === 'ArrowDown' ? 1 : -1;
  return [...layout.nodes]
    .filter(([, point]) => point.x === here.x && (point.y - here.y) * step > 0)
    .toSorted(([, a], [, b]) => (a.y - b.y) * step)[0]?.[0];
}
