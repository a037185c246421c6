using Cairn.Contracts.Api;
using Cairn.Fleet.Outputs;

namespace Cairn.Fleet.Tests.Outputs;

public sealed class Listings_of_files_stay_inside
{
    private static readonly string s_hash = new('a', 64);

    [Theory]
    [InlineData("a/b.txt", null, true)]
    [InlineData("/etc/passwd", null, false)]
    [InlineData("../x", null, false)]
    [InlineData("a/../../x", null, false)]
    [InlineData("a//b", null, false)]
    [InlineData("a\\b", null, false)]
    [InlineData("", null, false)]
    [InlineData("a/link", "../b", true)]
    [InlineData("a/link", "../../b", false)]
    [InlineData("link", "/etc", false)]
    [InlineData("link", "a/../../b", false)]
    public void A_path_or_link_that_leads_outside_is_a_fault(string path, string? link, bool good) =>
        Assert.Equal(good, Manifests.Fault(new ApiManifest([new ApiFile(path, s_hash, 1, 420, link)])) is null);

    [Fact]
    public void So_is_what_is_listed_twice_or_has_no_hash()
    {
        Assert.NotNull(Manifests.Fault(new ApiManifest([new("a", s_hash, 1, 420), new("a", s_hash, 1, 420)])));
        Assert.NotNull(Manifests.Fault(new ApiManifest([new("a", "ABC", 1, 420)])));
        Assert.NotNull(Manifests.Fault(new ApiManifest([new("a", s_hash, -1, 420)])));
    }

    [Fact]
    public void The_wire_says_the_same()
    {
        var manifest = new ApiManifest([new("a", s_hash, 1, 420), new("l", "", 0, 511, "a")]);
        Assert.Equal(manifest.Files, Manifests.FromWire(Manifests.ToWire(manifest)).Files);
        Assert.Equal(64, Manifests.ToWire(manifest).RootHash.Length);
    }
}
