import type { Complaint } from '#libs/links';

/** A complaint as its routes tell it: the signature stays with us, and the time has no zone. */
export function presentComplaint({ id, createdMs, urls, contentType, copyrightHolder, sign: _sign, ...rest }: Complaint) {
  return {
    ...rest,
    complaint_id: id,
    created: new Date(createdMs).toISOString().slice(0, -1),
    url: urls,
    content_type: contentType,
    copyright_holder: copyrightHolder,
  };
}
