import { useEffect, useState } from 'react';
import type { MapGraph } from './graph.ts';
import type { Layout } from './layout.ts';
import type { LayoutDone, LayoutTask } from './layout.worker.ts';
import { layoutSizes } from './nodeSize.ts';

/** A graph and the places of what is in it, which are never those of another graph. */
export interface Placed {
  readonly graph: MapGraph;
  readonly layout: Layout;
}

let worker: Worker | undefined;
let tasks = 0;

/**
 * Lays a graph out beside the page, which answers meanwhile. The one before stays until it is done;
 * what was counted anew needs no other places.
 */
export function useLayout(graph: MapGraph): Placed | undefined {
  const shape = shapeOf(graph);
  const [placed, setPlaced] = useState<{ readonly shape: string } & Placed>();
  useEffect(() => {
    worker ??= new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' });
    const running = worker;
    tasks += 1;
    const id = tasks;
    const take = ({ data }: MessageEvent<LayoutDone>): void => {
      if (data.id === id) setPlaced({ shape, graph, layout: data.layout });
    };
    running.addEventListener('message', take);
    const task: LayoutTask = {
      id,
      graph: {
        nodes: graph.nodes.map(({ key }) => ({ key })),
        edges: graph.edges.map(({ key, from, to }) => ({ key, from, to })),
        sizes: layoutSizes,
      },
    };
    running.postMessage(task, []);
    return () => running.removeEventListener('message', take);
  }, [shape]);
  return placed?.shape === shape ? { graph, layout: placed.layout } : placed;
}

function shapeOf({ nodes, edges }: MapGraph): string {
  return [...nodes, ...edges].map(({ key }) => key).join('\n');
}
