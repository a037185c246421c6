namespace Cairn.State;

/// <summary>
/// Contents as files: <c>ab/cd/abcd…</c> under a folder. A content is written to a temporary file, verified, flushed to the disk and only
/// then renamed, so a file that is there under its hash is whole, whatever died when.
/// </summary>
public sealed class FolderBlobs : IBlobs
{
    /// <summary>The largest content taken unless said otherwise: 64 GiB.</summary>
    public const long DefaultMostBytes = 64L << 30;

    private static readonly TimeSpan s_abandoned = TimeSpan.FromDays(1);

    private readonly string _root;
    private readonly string _temporary;
    private readonly long _mostBytes;

    /// <summary>Opens the folder, making it where missing, and removes temporary files that nobody wrote to for a day.</summary>
    /// <param name="folder">Where the contents are; used by nothing else.</param>
    /// <param name="time">Judges the age of temporary files.</param>
    /// <param name="mostBytes">The largest content taken.</param>
    public FolderBlobs(string folder, TimeProvider time, long mostBytes = DefaultMostBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(mostBytes);
        _root = Path.GetFullPath(folder);
        _temporary = Path.Combine(_root, "tmp");
        _mostBytes = mostBytes;
        Directory.CreateDirectory(_temporary);
        var abandoned = time.GetUtcNow().UtcDateTime - s_abandoned;
        foreach (var file in new DirectoryInfo(_temporary).EnumerateFiles().Where(f => f.LastWriteTimeUtc < abandoned))
            file.Delete();
    }

    public Task<bool> ExistsAsync(string hash, CancellationToken cancellationToken) => Task.FromResult(File.Exists(PathOf(hash)));

    public Task<Stream> OpenReadAsync(string hash, CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult<Stream>(new FileStream(PathOf(hash), new FileStreamOptions
            {
                Mode = FileMode.Open,
                Access = FileAccess.Read,
                Share = FileShare.Read | FileShare.Delete,
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
            }));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return Task.FromException<Stream>(new BlobException(BlobFault.Missing, $"There is no blob {hash} in {_root}.", error));
        }
    }

    public async Task PutAsync(string hash, long size, Stream content, CancellationToken cancellationToken)
    {
        var path = PathOf(hash);
        BlobHash.RequireSize(hash, size, _mostBytes);
        if (File.Exists(path))
            return;
        var temporary = Path.Combine(_temporary, Path.GetRandomFileName());
        try
        {
            await using (var file = new FileStream(temporary, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Options = FileOptions.Asynchronous,
            }))
            {
                await BlobHash.CopyAsync(content, file, hash, size, cancellationToken);
                await file.FlushAsync(cancellationToken);
                RandomAccess.FlushToDisk(file.SafeFileHandle);
            }
            var folder = Path.GetDirectoryName(path)!;
            Directory.CreateDirectory(folder);
            File.Move(temporary, path, overwrite: true);
            DirectorySync.Flush(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BlobException(BlobFault.Unavailable,
                $"The blob {hash} of {size} bytes could not be kept in {_root}: {error.Message}", error);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    public Task<IReadOnlyList<string>> FindMissingAsync(IReadOnlyCollection<string> hashes, CancellationToken cancellationToken) =>
        Task.Run<IReadOnlyList<string>>(() => [.. hashes.Distinct().Where(hash => !File.Exists(PathOf(hash)))], cancellationToken);

    public Task DeleteAsync(string hash, CancellationToken cancellationToken)
    {
        var path = PathOf(hash);
        try
        {
            if (File.Exists(path))
                File.Delete(path);
            return Task.CompletedTask;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Task.FromException(new BlobException(BlobFault.Unavailable, $"The blob {hash} could not be removed from {_root}: {error.Message}", error));
        }
    }

    private string PathOf(string hash)
    {
        BlobHash.Require(hash);
        return Path.Combine(_root, hash[..2], hash[2..4], hash);
    }
}
