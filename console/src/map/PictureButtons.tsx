import type { JSX } from 'react';
import { Icon } from '../shell/Icon.tsx';
import type { MapGraph } from './graph.ts';
import { layOut } from './layout.ts';
import { layoutSizes } from './nodeSize.ts';
import { drawPicture } from './picture.ts';

/** Dots for each pixel of a PNG, so that it can be printed. */
const pngScale = 2;

/** Saves the map as a picture. It is drawn from the same layout, so it shows what the page shows. */
export function PictureButtons(props: { readonly graph: MapGraph; readonly rangeSeconds: number }): JSX.Element {
  const draw = () => drawPicture(props.graph, layOut({ ...props.graph, sizes: layoutSizes }), props.rangeSeconds);
  return (
    <>
      <button type="button" title="Save as SVG" onClick={() => save(svgBlob(draw()), 'trace-map.svg')}>
        <Icon name="download" /> SVG
      </button>
      <button type="button" title="Save as PNG" onClick={() => void savePng(draw())}>
        <Icon name="download" /> PNG
      </button>
    </>
  );
}

function svgBlob(svg: string): Blob {
  return new Blob([svg], { type: 'image/svg+xml' });
}

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function savePng(svg: string): Promise<void> {
  const image = new Image();
  // The content security policy allows pictures from `data:`, and no others.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth * pngScale;
  canvas.height = image.naturalHeight * pngScale;
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob) save(blob, 'trace-map.png');
}
