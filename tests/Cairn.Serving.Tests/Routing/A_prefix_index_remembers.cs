using System.Text;
using Cairn.Serving.Gateway.Routing;
using CsCheck;

namespace Cairn.Serving.Tests.Routing;

public sealed class A_prefix_index_remembers
{
    [Fact]
    public void Prompts_share_as_many_hashes_as_whole_blocks() =>
        Gen.Select(Gen.Byte.Array[0, 2000], Gen.Byte.Array[0, 2000], Gen.Int[0, 2000]).Sample((a, b, shared) =>
        {
            var second = a.Take(shared).Concat(b).ToArray();
            var common = a.Zip(second).TakeWhile(p => p.First == p.Second).Count();
            var (one, two) = (Hashes(a), Hashes(second));
            Assert.Equal(a.Length / PrefixHashes.BlockBytes, one.Length);
            Assert.Equal(common / PrefixHashes.BlockBytes, one.Zip(two).TakeWhile(p => p.First == p.Second).Count());
        });

    [Fact]
    public void Models_and_adapters_share_nothing()
    {
        var prompt = new byte[640];
        var seeds = new[] { PrefixHashes.Seed("a", null), PrefixHashes.Seed("b", null), PrefixHashes.Seed("a", "x"), PrefixHashes.Seed("ax", null) };
        Assert.Equal(40, seeds.SelectMany(s => Hashes(prompt, s)).Distinct().Count());
    }

    /// <summary>Against a plain dictionary of every prefix: with room enough, the best match is the longest prefix, and its replica was given it.</summary>
    [Fact]
    public void The_best_match_is_the_longest_known_prefix() =>
        Gen.Int[0, 3].Array[1, 60].Array[1, 40].Sample(prompts =>
        {
            var index = new PrefixIndex(1 << 16);
            var known = new Dictionary<string, HashSet<int>>();
            for (var slot = 1; slot <= prompts.Length; slot++)
            {
                var blocks = prompts[slot - 1];
                var hashes = Hashes(Prompt(blocks));
                var matches = new PrefixMatch[4];
                var count = index.Match(hashes, matches);
                var longest = Enumerable.Range(1, blocks.Length).Reverse().FirstOrDefault(n => known.ContainsKey(Key(blocks, n)));
                Assert.Equal(longest, count == 0 ? 0 : matches[0].Blocks);
                foreach (var match in matches.Take(count))
                    Assert.Contains(match.Slot, known[Key(blocks, match.Blocks)]);
                index.Record(hashes, slot);
                for (var n = 1; n <= blocks.Length; n++)
                {
                    if (!known.TryGetValue(Key(blocks, n), out var slots))
                        known[Key(blocks, n)] = slots = [];
                    slots.Add(slot);
                }
            }
        });

    [Fact]
    public void The_latest_four_of_a_shared_prefix_are_told_and_the_deepest_first()
    {
        var index = new PrefixIndex(1 << 10);
        var shared = Hashes(Prompt([1, 2, 3]));
        for (var slot = 1; slot <= 6; slot++)
            index.Record(shared, slot);
        index.Record(Hashes(Prompt([1, 2, 3, 4])), 9);
        Span<PrefixMatch> matches = stackalloc PrefixMatch[4];
        Assert.Equal(4, index.Match(Hashes(Prompt([1, 2, 3, 4, 5])), matches));
        Assert.Equal([new(9, 4), new(6, 3), new(5, 3), new(4, 3)], matches.ToArray());
    }

    [Fact]
    public void Memory_is_fixed_and_what_was_not_used_gives_way()
    {
        var index = new PrefixIndex(1024);
        var kept = Hashes(Prompt([7, 7, 7]));
        for (var i = 0; i < 20_000; i++)
        {
            if (i % 50 == 0)
                index.Record(kept, 3);
            index.Record(Hashes(Encoding.UTF8.GetBytes($"{i:00000000}".PadRight(PrefixHashes.BlockBytes))), 1);
        }
        Span<PrefixMatch> matches = stackalloc PrefixMatch[4];
        Assert.Equal(1, index.Match(kept, matches));
        Assert.Equal(new PrefixMatch(3, 3), matches[0]);
        Assert.Equal(0, index.Match(Hashes(Encoding.UTF8.GetBytes("00000001".PadRight(PrefixHashes.BlockBytes))), matches));
    }

    private static string Key(int[] blocks, int count) => string.Join(',', blocks.Take(count));

    private static byte[] Prompt(int[] blocks) => [.. blocks.SelectMany(b => Enumerable.Repeat((byte)b, PrefixHashes.BlockBytes))];

    private static ulong[] Hashes(byte[] prompt, ulong seed = 1)
    {
        var hashes = new ulong[PrefixHashes.MostBlocks];
        return hashes[..PrefixHashes.Compute(prompt, seed, hashes)];
    }
}
