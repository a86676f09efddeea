import type { LayoutSizes } from './layout.ts';

/**
 * The box of a node in pixels: the ring, and below it two lines of name and one of type. `ringCentre`
 * is below the top of the box; calls end at the ring, not at the box.
 */
export const nodeSize = { width: 156, height: 130, ringCentre: 39, ringRadius: 36 };

export const layoutSizes: LayoutSizes = {
  nodeWidth: nodeSize.width,
  nodeHeight: nodeSize.height,
  gapX: 60,
  gapY: 8,
};
