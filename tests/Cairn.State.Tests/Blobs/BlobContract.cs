namespace Cairn.State.Tests.Blobs;

/// <summary>What holds for blobs wherever they are kept.</summary>
public abstract class BlobContract : IAsyncLifetime
{
    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected abstract IBlobs Blobs { get; }

    /// <summary>How many contents or pieces of contents are kept.</summary>
    protected abstract int Kept { get; }

    public abstract ValueTask InitializeAsync();

    public abstract ValueTask DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(300_000)]
    public async Task A_content_comes_back_byte_for_byte(int size)
    {
        var content = Content(size);
        var hash = BlobHash.Of(content);
        Assert.False(await Blobs.ExistsAsync(hash, Ct));
        await Blobs.PutAsync(hash, size, new MemoryStream(content), Ct);
        Assert.True(await Blobs.ExistsAsync(hash, Ct));
        Assert.Equal(content, await Read(hash));
        await Blobs.PutAsync(hash, size, Stream.Null, Ct);
        Assert.Equal(content, await Read(hash));
        Assert.Equal(1, Kept);
    }

    [Fact]
    public async Task A_content_of_another_hash_or_size_is_refused_and_nothing_is_kept()
    {
        var content = Content(200_000);
        var hash = BlobHash.Of(content);
        await Refused(BlobFault.Mismatch, Blobs.PutAsync(hash, 200_000, new MemoryStream(Content(200_000, seed: 2)), Ct));
        await Refused(BlobFault.Mismatch, Blobs.PutAsync(hash, 199_999, new MemoryStream(content), Ct));
        await Refused(BlobFault.Mismatch, Blobs.PutAsync(hash, 200_001, new MemoryStream(content), Ct));
        await Refused(BlobFault.TooLarge, Blobs.PutAsync(hash, long.MaxValue, new MemoryStream(content), Ct));
        Assert.Equal(0, Kept);
        await Refused(BlobFault.Missing, Blobs.OpenReadAsync(hash, Ct));
    }

    [Fact]
    public async Task A_reader_that_breaks_off_leaves_nothing()
    {
        var hash = BlobHash.Of(Content(10));
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            try
            {
                await Blobs.PutAsync(hash, 10, new Broken(), Ct);
            }
            catch (BlobException error)
            {
                throw error.InnerException!;
            }
        });
        Assert.Equal(0, Kept);
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("")]
    [InlineData("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550")]
    public async Task What_is_no_hash_is_never_a_path(string hash)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Blobs.ExistsAsync(hash, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Blobs.OpenReadAsync(hash, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Blobs.PutAsync(hash, 0, Stream.Null, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Blobs.FindMissingAsync([hash], Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Blobs.DeleteAsync(hash, Ct));
    }

    [Fact]
    public async Task A_removed_content_is_gone_and_can_be_put_again()
    {
        var content = Content(1_000);
        var hash = BlobHash.Of(content);
        await Blobs.DeleteAsync(hash, Ct);
        await Blobs.PutAsync(hash, content.Length, new MemoryStream(content), Ct);
        await Blobs.DeleteAsync(hash, Ct);
        Assert.False(await Blobs.ExistsAsync(hash, Ct));
        await Refused(BlobFault.Missing, Blobs.OpenReadAsync(hash, Ct));
        await Blobs.PutAsync(hash, content.Length, new MemoryStream(content), Ct);
        Assert.Equal(content, await Read(hash));
    }

    [Fact]
    public async Task What_is_missing_is_found_in_the_order_asked()
    {
        var contents = Enumerable.Range(0, 40).Select(i => Content(10 + i)).ToList();
        foreach (var content in contents.Where((_, i) => i % 2 == 0))
            await Blobs.PutAsync(BlobHash.Of(content), content.Length, new MemoryStream(content), Ct);
        var hashes = contents.Select(c => BlobHash.Of(c)).ToList();
        Assert.Equal(hashes.Where((_, i) => i % 2 == 1), await Blobs.FindMissingAsync([.. hashes, .. hashes], Ct));
    }

    [Fact]
    public async Task Many_who_put_the_same_content_at_once_keep_it_once()
    {
        var content = Content(50_000);
        var hash = BlobHash.Of(content);
        await Task.WhenAll(Enumerable.Range(0, 16)
            .Select(_ => Task.Run(() => Blobs.PutAsync(hash, content.Length, new MemoryStream(content), Ct), Ct)));
        Assert.Equal(content, await Read(hash));
        Assert.Equal(1, Kept);
    }

    protected static byte[] Content(int size, int seed = 1)
    {
        var content = new byte[size];
        new Random(seed).NextBytes(content);
        return content;
    }

    protected async Task<byte[]> Read(string hash)
    {
        await using var stream = await Blobs.OpenReadAsync(hash, Ct);
        using var memory = new MemoryStream();
        await stream.CopyToAsync(memory, Ct);
        return memory.ToArray();
    }

    protected static async Task Refused(BlobFault fault, Task work) =>
        Assert.Equal(fault, (await Assert.ThrowsAsync<BlobException>(() => work)).Fault);

    private sealed class Broken : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new IOException("broken off");
    }
}
