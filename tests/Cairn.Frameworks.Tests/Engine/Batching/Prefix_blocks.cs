using Cairn.Frameworks.Engine.Batching;
using CsCheck;

namespace Cairn.Frameworks.Tests.Engine.Batching;

public sealed class Prefix_blocks
{
    private static readonly int[] Sixteen = [.. Enumerable.Range(0, 16)];

    [Fact]
    public void A_block_is_named_by_its_tokens_and_all_before_it()
    {
        var first = BlockKey.Root.Then(Sixteen);
        Assert.Equal(first, BlockKey.Root.Then(Sixteen));
        Assert.NotEqual(first, first.Then(Sixteen));
        Assert.NotEqual(first, BlockKey.Root.Then([.. Sixteen.Reverse()]));
    }

    [Fact]
    public void A_parent_outlives_its_children_and_the_stalest_leaf_goes_first()
    {
        var index = new PrefixIndex(3);
        var root = BlockKey.Root.Then(Sixteen);
        BlockKey Child(int turn) => root.Then([.. Sixteen.Select(i => i + turn)]);
        var (left, right, late) = (Child(1), Child(2), Child(3));
        Assert.True(index.TryAdd(root, BlockKey.Root, out _));
        Assert.True(index.TryAdd(left, root, out var leftSlot));
        Assert.True(index.TryAdd(right, root, out _));
        Assert.True(index.TryUse(left, out _));
        Assert.True(index.TryAdd(late, root, out var lateSlot));

        Assert.False(index.Contains(right));
        Assert.True(index.Contains(root) && index.Contains(left) && index.Contains(late));
        Assert.NotEqual(leftSlot, lateSlot);
    }

    [Fact]
    public void A_block_whose_parent_is_gone_is_not_kept()
    {
        var index = new PrefixIndex(2);
        Assert.False(index.TryAdd(BlockKey.Root.Then(Sixteen).Then(Sixteen), BlockKey.Root.Then(Sixteen), out _));
        Assert.False(new PrefixIndex(0).TryAdd(BlockKey.Root.Then(Sixteen), BlockKey.Root, out _));
    }

    [Fact]
    public void No_slot_is_given_twice_and_every_kept_block_has_its_parent() =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[0, 2].Array[1, 4].List[1, 40]).Sample((slots, paths) =>
        {
            var index = new PrefixIndex(slots);
            var places = new Dictionary<BlockKey, int>();
            var parents = new Dictionary<BlockKey, BlockKey>();
            foreach (var path in paths)
            {
                var parent = BlockKey.Root;
                foreach (var turn in path)
                {
                    var key = parent.Then([.. Enumerable.Repeat(turn, 16)]);
                    parents[key] = parent;
                    if (index.TryUse(key, out var slot))
                        Assert.Equal(places[key], slot);
                    else if (index.TryAdd(key, parent, out slot))
                    {
                        Assert.InRange(slot, 0, slots - 1);
                        places[key] = slot;
                    }
                    else
                        break;
                    parent = key;
                }
                var kept = parents.Keys.Where(index.Contains).ToList();
                Assert.Equal(index.Count, kept.Count);
                Assert.Equal(kept.Count, kept.Select(k => places[k]).Distinct().Count());
                Assert.All(kept, k => Assert.True(parents[k] == BlockKey.Root || index.Contains(parents[k])));
            }
        }, iter: 500);
}
