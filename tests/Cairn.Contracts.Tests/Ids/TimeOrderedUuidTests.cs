using Cairn.Contracts.Ids;

namespace Cairn.Contracts.Tests.Ids;

public sealed class TimeOrderedUuidTests
{
    private static readonly DateTimeOffset s_now = new(2026, 3, 4, 12, 30, 0, TimeSpan.Zero);

    [Fact]
    public void Those_made_one_after_the_other_sort_so_also_within_a_millisecond()
    {
        var made = Enumerable.Range(0, 5_000).Select(micros => TimeOrderedUuid.New(s_now.AddMicroseconds(micros)).ToString()).ToList();
        Assert.Equal(made.Order(StringComparer.Ordinal), made);
    }

    [Fact]
    public void They_are_of_version_7_with_the_same_milliseconds_as_any_and_differ_at_one_moment()
    {
        var (one, two) = (TimeOrderedUuid.New(s_now.AddTicks(9_999)), TimeOrderedUuid.New(s_now.AddTicks(9_999)));
        Assert.NotEqual(one, two);
        Assert.Equal((7, Guid.CreateVersion7(s_now).ToString()[..13]), (one.Version, one.ToString()[..13]));
        Assert.Equal(Guid.CreateVersion7(s_now).Variant & 0xc, one.Variant & 0xc);
    }
}
