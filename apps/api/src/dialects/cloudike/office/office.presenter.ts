import type { OfficeUrl, RelativeFile, WopiFile } from '#libs/office';
import { wopiSource } from '#libs/office';
import type { StoredVersion } from '#libs/nodes';

/** Where to open a document; token and end also apart, for programs that post them to the URL. */
export function presentOfficeUrl({ url, grant, isConfigured }: OfficeUrl) {
  const { accessToken: access_token, expiresMs: access_token_ttl } = grant;
  if (isConfigured) return { url, access_token, access_token_ttl };
  return {
    url,
    access_token,
    access_token_ttl,
    configured: false,
    description: 'No office server is configured: the URL holds WOPISrc and token only.',
  };
}

/** CheckFileInfo. Names of the protocol; sizes in bytes, ids are texts. */
export function presentFileInfo({ session, version, folderName, mayWriteBeside, mayDelete }: WopiFile, publicUrl: string) {
  const { node, mayWrite, mayPrint, watermark, userId, userName, actor } = session;
  const dot = node.name.lastIndexOf('.');
  return {
    BaseFileName: node.name,
    FileExtension: dot > 0 ? node.name.slice(dot) : '',
    OwnerId: String(node.ownerId),
    UserId: userId,
    UserFriendlyName: userName || (actor.kind === 'guest' ? 'Guest' : `userid:${userId}`),
    IsAnonymousUser: actor.kind === 'guest',
    Size: version.sizeBytes,
    Version: String(version.no),
    SHA256: Buffer.from(version.sha256, 'hex').toString('base64'),
    LastModifiedTime: lastModified(version),
    ReadOnly: !mayWrite,
    UserCanWrite: mayWrite,
    UserCanRename: mayWrite,
    UserCanNotWriteRelative: !mayWriteBeside,
    DisablePrint: !mayPrint,
    HidePrintOption: !mayPrint,
    ...(watermark === null ? {} : { WatermarkText: watermark }),
    SupportsLocks: true,
    SupportsGetLock: true,
    SupportsExtendedLockLength: true,
    SupportsUpdate: true,
    SupportsRename: true,
    SupportsDeleteFile: mayDelete,
    SupportsUserInfo: false,
    SupportsFolders: false,
    FileNameMaxLength: 200,
    BreadcrumbBrandName: 'Stowage',
    BreadcrumbBrandUrl: `${publicUrl}/`,
    BreadcrumbFolderName: folderName,
    BreadcrumbDocName: node.name,
    CloseUrl: `${publicUrl}/`,
    PostMessageOrigin: new URL(publicUrl).origin,
  };
}

/** What PutFile answers. */
export function presentSaved(version: StoredVersion) {
  return { LastModifiedTime: lastModified(version) };
}

/** What PutRelativeFile answers: the name the file has got, and where it is reached. */
export function presentRelative({ node, grant }: RelativeFile, publicUrl: string) {
  return { Name: node.name, Url: `${wopiSource(publicUrl, grant.fileId)}?access_token=${grant.accessToken}` };
}

/** What RenameFile answers: the name without its extension. */
export function presentRenamed(name: string) {
  const dot = name.lastIndexOf('.');
  return { Name: dot > 0 ? name.slice(0, dot) : name };
}

function lastModified(version: StoredVersion): string {
  return new Date(version.createdAtMs).toISOString();
}
