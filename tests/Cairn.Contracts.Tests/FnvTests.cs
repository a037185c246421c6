using System.Text;
using Cairn.Contracts.Ids;

namespace Cairn.Contracts.Tests;

/// <summary>Ports on the machines of a running fleet come from these hashes, so they are the published ones, for good.</summary>
public sealed class FnvTests
{
    [Theory]
    [InlineData("", 0x811c9dc5u, 0xcbf29ce484222325ul)]
    [InlineData("a", 0xe40c292cu, 0xaf63dc4c8601ec8cul)]
    [InlineData("foobar", 0xbf9cf968u, 0x85944171f73967e8ul)]
    public void The_hashes_are_those_of_the_published_test_vectors(string text, uint of32, ulong of64)
    {
        Assert.Equal(of32, Fnv.Hash32(text));
        Assert.Equal(of32, Fnv.Hash32(Encoding.ASCII.GetBytes(text)));
        Assert.Equal(of64, Fnv.Hash64(text));
    }
}
