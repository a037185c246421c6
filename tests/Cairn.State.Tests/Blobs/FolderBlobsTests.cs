using Microsoft.Extensions.Time.Testing;

namespace Cairn.State.Tests.Blobs;

public sealed class FolderBlobsTests : BlobContract
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-blobs-").FullName;

    protected override IBlobs Blobs => field ??= new FolderBlobs(_folder, TimeProvider.System);

    protected override int Kept => Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories).Count();

    public override ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public override ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Contents_are_spread_over_folders()
    {
        var content = Content(10);
        var hash = BlobHash.Of(content);
        await Blobs.PutAsync(hash, 10, new MemoryStream(content), Ct);
        Assert.True(File.Exists(Path.Combine(_folder, hash[..2], hash[2..4], hash)));
    }

    [Fact]
    public void What_a_dead_server_left_half_written_is_removed_after_a_day()
    {
        _ = Blobs;
        var left = Path.Combine(_folder, "tmp", "left");
        File.WriteAllText(left, "half");
        _ = new FolderBlobs(_folder, TimeProvider.System);
        Assert.True(File.Exists(left));
        _ = new FolderBlobs(_folder, new FakeTimeProvider(File.GetLastWriteTimeUtc(left).AddHours(25)));
        Assert.False(File.Exists(left));
    }
}
