namespace Cairn.State.Tests.Blobs;

public sealed class S3BlobsTests : BlobContract
{
    private FakeS3 _s3 = null!;
    private S3Blobs _blobs = null!;

    protected override IBlobs Blobs => _blobs;

    protected override int Kept => _s3.Objects.Count;

    public override async ValueTask InitializeAsync()
    {
        _s3 = await FakeS3.StartAsync(Ct);
        var options = new S3BlobOptions
        {
            Bucket = "bucket", Prefix = "blobs/", Endpoint = _s3.Address, PathStyle = true, AccessKey = "key", SecretKey = "secret",
        };
        _blobs = new S3Blobs(options) { OnePart = 5 << 20 };
    }

    public override async ValueTask DisposeAsync()
    {
        _blobs.Dispose();
        await _s3.DisposeAsync();
    }

    [Fact]
    public async Task A_content_is_an_object_of_the_bucket_under_the_prefix()
    {
        var content = Content(10);
        await Blobs.PutAsync(BlobHash.Of(content), 10, new MemoryStream(content), Ct);
        Assert.Equal($"bucket/blobs/{BlobHash.Of(content)}", Assert.Single(_s3.Objects).Key);
    }

    [Fact]
    public async Task A_large_content_is_sent_in_parts()
    {
        var content = Content(12 << 20);
        var hash = BlobHash.Of(content);
        await Blobs.PutAsync(hash, content.Length, new MemoryStream(content), Ct);
        Assert.Equal(content, await Read(hash));
        Assert.Contains(_s3.Requests, request => request.Contains("partNumber=3", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Another_who_put_the_same_content_first_is_no_error()
    {
        var content = Content(10);
        _s3.BeforePut = key => _s3.Objects.TryAdd(key, content);
        await Blobs.PutAsync(BlobHash.Of(content), 10, new MemoryStream(content), Ct);
        Assert.Equal(1, Kept);
    }

    [Fact]
    public async Task A_bucket_that_refuses_is_named()
    {
        _s3.Fails = 403;
        var error = await Assert.ThrowsAsync<BlobException>(() => Blobs.ExistsAsync(BlobHash.Of([]), Ct));
        Assert.Equal(BlobFault.Unavailable, error.Fault);
        Assert.Contains("bucket", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Half_a_key_is_refused() =>
        Assert.Throws<ArgumentException>(() => new S3Blobs(new S3BlobOptions { Bucket = "b", AccessKey = "a" }));
}
