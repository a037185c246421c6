using System.Security.Cryptography;
using System.Text;

namespace Cairn.Serving.Files;

/// <summary>
/// A file on its way in: written to a temporary file that ends with the process, and hashed meanwhile, for a blob is named by its hash.
/// The blob begins with a line that names the file, so no two files share a blob and one can be removed with its file.
/// </summary>
internal sealed class FileSpool : IAsyncDisposable
{
    private readonly FileStream _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    private FileSpool(FileStream file, string id) => (_file, Id) = (file, id);

    public string Id { get; }

    /// <summary>Of the content, without the line before it.</summary>
    public long Bytes { get; private set; }

    public static async Task<FileSpool> OpenAsync(string folder, string id, CancellationToken cancellationToken)
    {
        var file = new FileStream(Path.Combine(folder, "cairn-file-" + Path.GetRandomFileName()), new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        var spool = new FileSpool(file, id);
        await spool.WriteAsync(Head(id), cancellationToken);
        spool.Bytes = 0;
        return spool;
    }

    /// <summary>The line that a file's blob begins with.</summary>
    public static byte[] Head(string id) => Encoding.UTF8.GetBytes(id + "\n");

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        _hash.AppendData(bytes.Span);
        await _file.WriteAsync(bytes, cancellationToken);
        Bytes += bytes.Length;
    }

    /// <summary>All of the blob from its beginning, and its name. Nothing can be written after.</summary>
    public async Task<(string Hash, long Size, Stream Content)> EndAsync(CancellationToken cancellationToken)
    {
        await _file.FlushAsync(cancellationToken);
        _file.Position = 0;
        return (Convert.ToHexStringLower(_hash.GetHashAndReset()), _file.Length, _file);
    }

    public async ValueTask DisposeAsync()
    {
        _hash.Dispose();
        await _file.DisposeAsync();
    }
}
