using Cairn.Contracts.Wire;
using Cairn.Node.Files;
using CsCheck;

namespace Cairn.Node.Tests.Files;

public sealed class Manifests_lead_nowhere_else
{
    private const string Hash = "0000000000000000000000000000000000000000000000000000000000000000";

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../x")]
    [InlineData("a/../../x")]
    [InlineData("a//b")]
    [InlineData("./a")]
    [InlineData("a/.")]
    [InlineData("a/")]
    [InlineData("")]
    [InlineData("a\0b")]
    [InlineData("a\\..\\..\\b")]
    public void A_path_that_is_not_plainly_inside_is_refused(string path) => Assert.NotNull(Check(new FileEntry { Path = path, Hash = Hash }));

    [Theory]
    [InlineData("/etc")]
    [InlineData("..")]
    [InlineData("../../x")]
    [InlineData("a/../../x")]
    [InlineData("a/../b")]
    public void A_link_that_could_lead_outside_is_refused(string target) =>
        Assert.NotNull(Check(new FileEntry { Path = "link", LinkTarget = target }));

    [Fact]
    public void Nothing_may_lie_under_a_link_or_a_file_and_nothing_twice()
    {
        Assert.NotNull(Check(new FileEntry { Path = "l", LinkTarget = "x" }, new FileEntry { Path = "l/f", Hash = Hash }));
        Assert.NotNull(Check(new FileEntry { Path = "f/g/h", Hash = Hash }, new FileEntry { Path = "f", Hash = Hash }));
        Assert.NotNull(Check(new FileEntry { Path = "f", Hash = Hash }, new FileEntry { Path = "f", Hash = Hash }));
        Assert.NotNull(Check(new FileEntry { Path = "f", Hash = Hash.ToUpperInvariant().Replace('0', 'A') }));
        Assert.Null(Check(new FileEntry { Path = "f", Hash = Hash }, new FileEntry { Path = "d/l", LinkTarget = "../f" }));
    }

    /// <summary>The oracle makes the links for real and asks the kernel where they lead.</summary>
    [Fact]
    public void Whatever_links_are_accepted_the_kernel_resolves_them_inside()
    {
        string[] choices = ["a", "b", "c", "..", ".", "d"];
        var name = Gen.Int[0, 5].Select(i => choices[i]);
        var path = name.Array[1, 3].Select(names => string.Join('/', names));
        Gen.Select(path, path).Array[1, 5].Sample(links =>
        {
            var manifest = new FileManifest();
            manifest.Files.Add(links.Select(l => new FileEntry { Path = l.Item1, LinkTarget = l.Item2 }));
            if (ManifestRules.Check(manifest) is not null)
                return;
            var root = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "cairn-links-" + Guid.NewGuid().ToString("N"))).FullName;
            try
            {
                foreach (var link in manifest.Files)
                {
                    Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(root, link.Path))!);
                    File.CreateSymbolicLink(Path.Combine(root, link.Path), link.LinkTarget);
                }
                foreach (var link in manifest.Files)
                {
                    var end = Resolve(Path.Combine(root, link.Path));
                    Assert.True(end is null || end == root || end.StartsWith(root + "/", StringComparison.Ordinal), $"{link.Path} → {link.LinkTarget} = {end}");
                }
            }
            finally
            {
                Directory.Delete(root, recursive: true);
            }
        }, iter: 300);
    }

    /// <summary>Walks name by name as the kernel does; null for a loop or a path that is not there.</summary>
    private static string? Resolve(string path)
    {
        var at = "/";
        var rest = new LinkedList<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries));
        for (var steps = 0; rest.First is { } first; steps++)
        {
            if (steps > 100)
                return null;
            rest.RemoveFirst();
            if (first.Value == ".")
                continue;
            if (first.Value == "..")
            {
                at = Path.GetDirectoryName(at) ?? "/";
                continue;
            }
            var next = Path.Combine(at, first.Value);
            if (new FileInfo(next).LinkTarget is { } target)
            {
                foreach (var name in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                    rest.AddFirst(name);
            }
            else
            {
                at = next;
            }
        }
        return at;
    }

    private static string? Check(params FileEntry[] files)
    {
        var manifest = new FileManifest();
        manifest.Files.Add(files);
        return ManifestRules.Check(manifest);
    }
}
