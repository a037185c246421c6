namespace Cairn.Serving.Files;

/// <summary>What comes after the first bytes of another stream; reads only, and seeks where the other does.</summary>
internal sealed class TailStream(Stream whole, long skipped) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => whole.CanSeek;

    public override bool CanWrite => false;

    public override long Length => whole.Length - skipped;

    public override long Position
    {
        get => whole.Position - skipped;
        set => whole.Position = value + skipped;
    }

    public override int Read(byte[] buffer, int offset, int count) => whole.Read(buffer, offset, count);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => whole.ReadAsync(buffer, cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => whole.Seek(origin == SeekOrigin.Begin ? offset + skipped : offset, origin) - skipped;

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await whole.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            whole.Dispose();
        base.Dispose(disposing);
    }
}
