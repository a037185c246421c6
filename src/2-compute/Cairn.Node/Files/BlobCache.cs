using System.Collections.Concurrent;

namespace Cairn.Node.Files;

/// <summary>
/// Fetched blobs by hash, shared by all tasks of the node and bounded. Tasks get copies (of the file system's cheap kind where it has
/// one), since a task may write to its files.
/// </summary>
internal sealed class BlobCache(string folder, long limitBytes, BlobLink blobs, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, Lazy<Task>> _fetching = new();
    private readonly Lock _evicting = new();
    private long _fetched;

    /// <summary>Puts a copy of the blob at <paramref name="target"/>, fetching it once for all who ask.</summary>
    /// <exception cref="BlobException">It cannot be had.</exception>
    public async Task CopyToAsync(string taskId, string hash, long size, string target, CancellationToken cancellationToken)
    {
        var path = PathOf(hash);
        while (!TryCopy(path, target))
        {
            var fetch = _fetching.GetOrAdd(hash, _ => new Lazy<Task>(() => FetchAsync(taskId, hash, size, path, cancellationToken)));
            try
            {
                await fetch.Value.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // The task that fetched it was stopped; this one goes on by itself.
            }
            finally
            {
                _fetching.TryRemove(KeyValuePair.Create(hash, fetch));
            }
        }
    }

    /// <summary>Deletes what was not used for longest, until the rest fits.</summary>
    public void Trim() => Trim(limitBytes);

    public void Trim(long keepBytes)
    {
        lock (_evicting)
        {
            var files = new DirectoryInfo(folder) is { Exists: true } root
                ? root.EnumerateFiles("*", SearchOption.AllDirectories).OrderByDescending(f => f.LastWriteTimeUtc).ToList()
                : [];
            var kept = 0L;
            foreach (var file in files.Where(f => f.Extension != ".new"))
            {
                kept += file.Length;
                if (kept > keepBytes)
                    file.Delete();
            }
        }
    }

    private async Task FetchAsync(string taskId, string hash, long size, string path, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await blobs.FetchAsync(taskId, hash, size, path + ".new", cancellationToken);
        File.Move(path + ".new", path, overwrite: true);
        // The whole cache is listed only now and then: it may be over its bound by a sixteenth.
        if (Interlocked.Add(ref _fetched, size) <= limitBytes / 16)
            return;
        Interlocked.Exchange(ref _fetched, 0);
        Trim();
    }

    private bool TryCopy(string path, string target)
    {
        try
        {
            File.Copy(path, target, overwrite: false);
            // Trim goes by the time of last use.
            File.SetLastWriteTimeUtc(path, clock.GetUtcNow().UtcDateTime);
            return true;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException && !File.Exists(path))
        {
            return false;
        }
    }

    private string PathOf(string hash) => Path.Combine(folder, hash[..2], hash);
}
