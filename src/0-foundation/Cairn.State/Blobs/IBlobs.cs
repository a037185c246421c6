namespace Cairn.State;

/// <summary>
/// Contents under their own SHA-256 in lower-case hex: what is there never changes, and the same content is kept once. Two forms:
/// <see cref="FolderBlobs"/> and <see cref="S3Blobs"/>.
/// </summary>
public interface IBlobs
{
    Task<bool> ExistsAsync(string hash, CancellationToken cancellationToken);

    /// <summary>Opens a content for reading; the caller disposes the stream.</summary>
    /// <exception cref="BlobException">It is not there (<see cref="BlobFault.Missing"/>).</exception>
    Task<Stream> OpenReadAsync(string hash, CancellationToken cancellationToken);

    /// <summary>Keeps a content, durably, once all of it was read and its size and hash were found right; else nothing is kept.</summary>
    /// <param name="hash">The SHA-256 it must have.</param>
    /// <param name="size">The bytes it must have.</param>
    /// <param name="content">Read once, to its end. Not read where the content is there already.</param>
    /// <param name="cancellationToken">Gives up; nothing is kept.</param>
    /// <exception cref="BlobException">The content is not what was said, or too large, or the store is full.</exception>
    Task PutAsync(string hash, long size, Stream content, CancellationToken cancellationToken);

    /// <summary>Those of the hashes that are not there, in the order asked, each once.</summary>
    Task<IReadOnlyList<string>> FindMissingAsync(IReadOnlyCollection<string> hashes, CancellationToken cancellationToken);

    /// <summary>
    /// Removes a content; one that is not there is no error. Only for a content that nobody else can have put: the same bytes are kept
    /// once, whoever put them.
    /// </summary>
    /// <exception cref="BlobException">The disk or bucket refused (<see cref="BlobFault.Unavailable"/>).</exception>
    Task DeleteAsync(string hash, CancellationToken cancellationToken);
}

/// <summary>Why a content was refused.</summary>
public enum BlobFault
{
    /// <summary>There is no content of this hash.</summary>
    Missing,

    /// <summary>The content's size or hash is not the one that was said.</summary>
    Mismatch,

    /// <summary>The content is larger than the store takes.</summary>
    TooLarge,

    /// <summary>The disk or bucket did not take or give it; the same may succeed later.</summary>
    Unavailable,
}

/// <summary>A content was refused; nothing of it was kept.</summary>
public sealed class BlobException(BlobFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public BlobFault Fault { get; } = fault;
}
