import type { Extradata } from '#libs/node-facts';

interface WireLink {
  link: string;
}

/** Contract 1.7. */
export interface WireExtradata {
  thumbnails?: { status: string; small?: WireLink; middle?: WireLink; preview?: WireLink };
  pdf?: { status: string; link?: string };
  metainfo?: { status: string; [name: string]: string | number };
}

/** What was made from a file's content: `{}` when nothing was or can be. */
export function presentExtradata(extradata: Extradata | null): WireExtradata {
  const wire: WireExtradata = {};
  if (extradata === null) return wire;
  const { state, thumbnails, pdf, metainfo } = extradata;
  if (state !== 'ready') wire.thumbnails = { status: state };
  else if (thumbnails !== null) {
    wire.thumbnails = {
      status: state,
      small: { link: thumbnails.small },
      middle: { link: thumbnails.middle },
      preview: { link: thumbnails.preview },
    };
  }
  if (pdf !== null) wire.pdf = { status: state, link: pdf };
  if (metainfo !== null) wire.metainfo = { status: state, ...metainfo };
  return wire;
}
