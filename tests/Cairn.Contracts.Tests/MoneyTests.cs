using Cairn.Contracts.Units;
using CsCheck;

namespace Cairn.Contracts.Tests;

public sealed class MoneyTests
{
    [Fact]
    public void The_cost_of_a_time_does_not_depend_on_how_often_it_is_settled() =>
        Gen.Select(Gen.Long[0, 100_000_000], Gen.Long[0, 400_000_000].Array[1, 50]).Sample((price, steps) =>
        {
            var hourly = new HourlyPrice(price);
            long time = 0;
            var charged = Money.Zero;
            foreach (var step in steps)
            {
                charged += hourly.CostOf(time + step) - hourly.CostOf(time);
                time += step;
            }

            Assert.Equal(hourly.CostOf(time), charged);
        });

    [Theory]
    [InlineData(12_340_000, "$12.34")]
    [InlineData(-12_340_000, "-$12.34")]
    [InlineData(123, "$0.000123")]
    [InlineData(0, "$0.00")]
    [InlineData(602_688_000_000, "$602,688.00")]
    public void Money_reads_as_people_write_it(long micros, string text) => Assert.Equal(text, new Money(micros).ToString());
}
