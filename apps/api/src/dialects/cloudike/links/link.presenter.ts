import type { Link } from '#libs/links';

/** What a link is, as links/info tells it. Times in ms, 0 = never. */
export function presentLink({ rights, createdMs, expiresMs, downloadMax, downloadCount, hasPassword, notify }: Link, authorLang: string) {
  return {
    access_rights: rights,
    created: createdMs,
    expires: expiresMs ?? 0,
    download_max: downloadMax,
    download_count: downloadCount,
    password: hasPassword,
    notify,
    author_lang: authorLang,
  };
}

/** The facts of a link beside the metadata of its node, whose own `created` stays. */
export function linkFacts(link: Link, authorLang: string) {
  const { created, ...facts } = presentLink(link, authorLang);
  return { ...facts, link_created: created, public_hash: link.hash, public_link: link.hash, blocked: link.blocked };
}
