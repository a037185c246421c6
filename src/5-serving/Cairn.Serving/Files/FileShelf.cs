using Cairn.Contracts.Ids;
using Cairn.State;

namespace Cairn.Serving.Files;

/// <summary>
/// Keeps files: a row each, and the content in a blob. (1) The row comes first, as one that is on its way; (2) then the blob; (3) then
/// the row is ready. A writer that dies between leaves a row that the sweep finds, so no content is kept that nobody can remove.
/// </summary>
internal sealed class FileShelf(Store store, IBlobs blobs, FilesOptions options, TimeProvider time)
{
    private const int SweptAtOnce = 100;

    /// <summary>Far longer than any content is on its way.</summary>
    private static readonly TimeSpan s_abandoned = TimeSpan.FromDays(1);

    public FilesOptions Options => options;

    public DateTimeOffset Now => time.GetUtcNow();

    /// <summary>Opens what a file is written to before it is placed.</summary>
    public Task<FileSpool> SpoolAsync(string id, CancellationToken cancellationToken) => FileSpool.OpenAsync(options.SpoolFolder, id, cancellationToken);

    /// <summary>Brings a file as far as step (2); <see cref="FileRows.MarkReady"/> ends it in a write of the caller's.</summary>
    /// <param name="draft">Who keeps what; size and hash come from the spool.</param>
    /// <param name="bounded">Whether a project's bounds hold; what a batch made is kept in any case, and counts.</param>
    /// <returns>The file; null where its project has no room for it.</returns>
    /// <exception cref="BlobException">The content could not be written.</exception>
    public async Task<FileRow?> PlaceAsync(FileRow draft, FileSpool spool, bool bounded, CancellationToken cancellationToken)
    {
        var (hash, size, content) = await spool.EndAsync(cancellationToken);
        var file = draft with { Id = spool.Id, Bytes = spool.Bytes, Hash = hash, Phase = FilePhase.Writing };

        // (1)
        var fits = await store.WriteAsync(session =>
        {
            var (count, bytes) = FileRows.Kept(session, file.ProjectId);
            if (bounded && (count >= options.MostPerProject || bytes + file.Bytes > options.MostBytesPerProject))
                return false;
            FileRows.Add(session, file);
            return true;
        }, cancellationToken);
        if (!fits)
            return null;

        // (2)
        await blobs.PutAsync(hash, size, content, cancellationToken);
        return file with { Phase = FilePhase.Ready };
    }

    /// <summary>Brings a file to its end, step (3).</summary>
    public Task ReadyAsync(FileRow file, CancellationToken cancellationToken) => store.WriteAsync(session => FileRows.MarkReady(session, file.Id), cancellationToken);

    public Task<FileRow?> FindAsync(ProjectId project, string id, CancellationToken cancellationToken)
    {
        var now = Now;
        return store.ReadAsync(session => FileRows.Find(session, project, id, now), cancellationToken);
    }

    public Task<IReadOnlyList<FileRow>> ListAsync(FileQuery query, CancellationToken cancellationToken)
    {
        var now = Now;
        return store.ReadAsync(session => FileRows.List(session, query, now), cancellationToken);
    }

    /// <returns>Whether there was one.</returns>
    public Task<bool> ForgetAsync(ProjectId project, string id, CancellationToken cancellationToken)
    {
        var now = Now;
        return store.WriteAsync(session => FileRows.Leave(session, project, id, now), cancellationToken);
    }

    /// <summary>A file's content; it can seek where the blobs can.</summary>
    /// <exception cref="BlobException">It is gone, or cannot be had now.</exception>
    public async Task<Stream> OpenAsync(FileRow file, CancellationToken cancellationToken)
    {
        var head = FileSpool.Head(file.Id);
        var stream = await blobs.OpenReadAsync(file.Hash, cancellationToken);
        try
        {
            await stream.ReadExactlyAsync(new byte[head.Length], cancellationToken);
            return new TailStream(stream, head.Length);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>Removes what was deleted, what is over and what never arrived: the content, then the row.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var now = Now;
        await store.WriteAsync(session => FileRows.LeaveOld(session, now, now - s_abandoned), cancellationToken);
        while (true)
        {
            var leaving = await store.ReadAsync(session => FileRows.Leaving(session, SweptAtOnce), cancellationToken);
            foreach (var file in leaving)
            {
                try
                {
                    await blobs.DeleteAsync(file.Hash, cancellationToken);
                }
                catch (BlobException)
                {
                    return; // The disk or bucket is away; the next sweep finds the same rows.
                }
                await store.WriteAsync(session => FileRows.Remove(session, file.Id), cancellationToken);
            }
            if (leaving.Count < SweptAtOnce)
                return;
        }
    }
}
