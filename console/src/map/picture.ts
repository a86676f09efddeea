import { formatDuration } from '../format/duration.ts';
import { formatRate } from '../format/count.ts';
import { ringArcs, worstOutcome } from '../outcome/outcome.ts';
import type { Outcome } from '../outcome/outcome.ts';
import { drawPath } from './edgePath.ts';
import { shortName, typeLabel } from './graph.ts';
import type { MapEdge, MapGraph, MapNode } from './graph.ts';
import type { Layout, Point } from './layout.ts';
import { nodeSize } from './nodeSize.ts';

/** On white, whatever the theme of the page: the picture goes into documents. */
const colours: Readonly<Record<Outcome | 'line' | 'text' | 'muted', string>> = {
  ok: '#2f9f68',
  error: '#d08f12',
  throttle: '#9355c4',
  fault: '#d63c49',
  line: '#858f9f',
  text: '#1a202c',
  muted: '#545e6e',
};
const margin = 24;
const stroke = 6;
const nameLengthMax = 26;

/** The trace map as an SVG document of its own, without anything from outside. */
export function drawPicture(graph: MapGraph, layout: Layout, rangeSeconds: number): string {
  const [width, height] = [layout.width + 2 * margin, layout.height + 2 * margin];
  const edges = graph.edges.map((edge) => drawEdge(edge, layout.edges.get(edge.key) ?? []));
  const nodes = graph.nodes.map((node) => drawNode(node, layout.nodes.get(node.key) ?? origin, rangeSeconds));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${-margin} ${-margin} ${width} ${height}" font-family="system-ui, sans-serif" text-anchor="middle">`,
    `<rect x="${-margin}" y="${-margin}" width="${width}" height="${height}" fill="#fff"/>`,
    ...edges,
    ...nodes,
    '</svg>',
  ].join('\n');
}

const origin: Point = { x: 0, y: 0 };

function drawEdge({ link, counts }: MapEdge, points: readonly Point[]): string {
  const lift = nodeSize.ringCentre - nodeSize.height / 2;
  const { path, arrow } = drawPath(points.map(({ x, y }) => ({ x, y: y + lift })));
  const worst = worstOutcome(counts);
  const colour = colours[worst === 'ok' ? 'line' : worst];
  const dashes = link ? ' stroke-dasharray="6 5"' : '';
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.5"${dashes}/><path d="${arrow}" fill="${colour}"/>`;
}

function drawNode(node: MapNode, { x, y }: Point, rangeSeconds: number): string {
  const top = y - nodeSize.height / 2;
  const centreY = top + nodeSize.ringCentre;
  const radius = nodeSize.ringRadius - stroke / 2;
  const around = 2 * Math.PI * radius;
  const circle = (more: string) =>
    `<circle cx="${x}" cy="${centreY}" r="${radius}" fill="none" stroke-width="${stroke}" ${more}/>`;
  const arcs = ringArcs(node.counts).map(({ outcome, start, share }) =>
    circle(
      `stroke="${colours[outcome]}" stroke-dasharray="${share * around} ${around}" stroke-dashoffset="${-start * around}" transform="rotate(-90 ${x} ${centreY})"`,
    ),
  );
  const [latency, rate] = node.client
    ? ['Client', '']
    : [
        node.averageResponseTime === undefined ? '–' : formatDuration(node.averageResponseTime),
        formatRate(node.counts.total, rangeSeconds),
      ];
  return [
    `<g><title>${escape(node.name)}</title>`,
    circle(`stroke="${colours.line}" stroke-opacity="0.3"`),
    ...arcs,
    text(latency, { x, y: centreY, size: 13, colour: colours.text }),
    text(rate, { x, y: centreY + 14, size: 10, colour: colours.muted }),
    text(shorten(shortName(node.name)), { x, y: centreY + nodeSize.ringRadius + 18, size: 12, colour: colours.text }),
    text(typeLabel(node.type), { x, y: centreY + nodeSize.ringRadius + 32, size: 10, colour: colours.muted }),
    '</g>',
  ].join('');
}

function text(words: string, at: Point & { readonly size: number; readonly colour: string }): string {
  if (words === '') return '';
  return `<text x="${at.x}" y="${at.y}" font-size="${at.size}" fill="${at.colour}">${escape(words)}</text>`;
}

function shorten(name: string): string {
  return name.length > nameLengthMax ? `${name.slice(0, nameLengthMax - 1)}…` : name;
}

/** Names come from outside. Control characters are not allowed in XML, however they are written. */
function escape(words: string): string {
  const printable = [...words].filter(
    (character) => character >= ' ' && !/[\ufffe\uffff\p{Surrogate}]/u.test(character),
  );
  return printable.join('').replaceAll(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
