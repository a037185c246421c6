using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Tests.Usage;

public sealed class Usage_adds_up
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly UsageBook _book = new();

    [Fact]
    public void What_a_subject_used_since_the_last_time_is_taken_once()
    {
        var (one, two) = (Subject("one"), Subject("two"));
        _book.Add(one, new UsageSum(1, 10, 2, 3, new Money(5)));
        _book.Add(one, new UsageSum(1, 20, 0, 4, new Money(6)));
        _book.Add(two, new UsageSum(1, 1, 0, 1, Money.Zero));

        Assert.Equal([(one, new UsageSum(2, 30, 2, 7, new Money(11))), (two, new UsageSum(1, 1, 0, 1, Money.Zero))], Taken());
        Assert.Empty(Taken());

        _book.Add(one, new UsageSum(1, 7, 0, 0, Money.Zero));
        Assert.Equal([(one, new UsageSum(1, 7, 0, 0, Money.Zero))], Taken());
    }

    [Fact]
    public async Task Nothing_is_lost_or_counted_twice_between_those_who_add_and_one_who_takes()
    {
        const int adders = 4, each = 20_000;
        var subjects = Enumerable.Range(0, 3).Select(i => Subject($"model{i}")).ToArray();
        var adding = Task.WhenAll(Enumerable.Range(0, adders).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < each; i++)
                _book.Add(subjects[i % subjects.Length], new UsageSum(1, 2, 0, 0, new Money(3)));
        })));
        var all = default(UsageSum);
        while (!adding.IsCompleted)
            all = Taken().Aggregate(all, (sum, taken) => sum + taken.Sum);
        await adding;
        all = Taken().Aggregate(all, (sum, taken) => sum + taken.Sum);
        Assert.Equal(new UsageSum(adders * each, adders * each * 2, 0, 0, new Money(adders * each * 3)), all);
    }

    private static UsageSubject Subject(string model) => new(ProjectId.New(s_now), KeyId.New(s_now), model, null, null);

    private List<(UsageSubject Subject, UsageSum Sum)> Taken() => [.. _book.Take().Select(t => (t.Key, t.Value)).OrderBy(t => t.Key.Model, StringComparer.Ordinal)];
}
