using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>Where would it run, and what would it cost: answered by the real program with no server, in the form that scripts rely
/// on.</summary>
public sealed class Plans_through_the_command_line(TemporaryHome home) : IClassFixture<TemporaryHome>
{
    /// <summary>Each use and the kinds of places that may win it. Nothing but prices and constraints decides.</summary>
    public static TheoryData<string, string[]> Winners => new()
    {
        { "llm-training", ["decentralized"] },
        { "realtime-10ms", ["edge"] },
        { "realtime-50ms", ["hyperscaler", "specialized"] },
        { "agent", ["decentralized"] },
        { "regulated", ["hyperscaler", "specialized"] },
        { "fine-tuning", ["decentralized"] },
        { "prototyping", ["decentralized"] },
        { "on-device", ["edge"] },
        { "batch", ["decentralized"] },
    };

    /// <summary>Ten H100s around the clock: per hour, month and year, as published for early 2026.</summary>
    public static TheoryData<string, decimal, decimal, decimal> TenH100s => new()
    {
        { "AWS", 68.80m, 50_234m, 602_808m },
        { "Azure", 69.80m, 50_964m, 611_568m },
        { "GCP", 56.20m, 41_034m, 492_408m },
        { "CoreWeave", 29.90m, 21_827m, 261_924m },
        { "io.net", 28.00m, 20_440m, 245_280m },
    };

    [Theory]
    [MemberData(nameof(Winners))]
    public async Task Each_use_is_won_by_the_kind_of_place_that_suits_it(string use, string[] winners)
    {
        var plan = (await home.Cli.RunAsync("plan", $"examples/use-cases/{use}.yaml", "--json")).Succeeded().Json;
        RequireShape(plan);
        Assert.Contains(plan.List("candidates")[0].GetProperty("offer").Text("deployment_model"), winners);
    }

    [Fact]
    public async Task A_pipeline_trains_on_a_market_serves_at_the_edge_and_complies_in_a_cloud()
    {
        var plan = (await home.Cli.RunAsync("plan", "examples/use-cases/hybrid.yaml", "--json")).Succeeded().Json;
        var steps = plan.List("steps");
        Assert.Equal(
            [("train", "decentralized"), ("serve", "edge"), ("comply", "hyperscaler")],
            steps.ConvertAll(step => (step.Text("name"), step.GetProperty("chosen").GetProperty("offer").Text("deployment_model"))));
        Assert.All(steps, RequireShape);
        var sum = steps.Sum(step => step.GetProperty("chosen").Decimal("total_usd")) + plan.List("transfers").Sum(t =>
            t.Decimal("cost_usd"));
        Assert.Equal(sum, plan.Decimal("total_usd"));
    }

    [Theory]
    [MemberData(nameof(TenH100s))]
    public async Task Ten_H100s_around_the_clock_cost_what_the_published_table_says(string provider, decimal hour, decimal month,
        decimal year)
    {
        var comparison = (await home.Cli.RunAsync("compare", "--gpu", "H100", "--count", "10", "--json")).Succeeded().Json;
        Assert.Equal(("H100", 10), (comparison.Text("gpu"), comparison.GetProperty("count").GetInt32()));
        Assert.Equal((730, 8760), (comparison.GetProperty("hours_per_month").GetInt32(),
            comparison.GetProperty("hours_per_year").GetInt32()));
        var row = Assert.Single(comparison.List("rows"), row => row.Text("provider") == provider);
        Assert.Equal(hour, row.Decimal("per_hour_usd"));
        Assert.Equal(hour * 730, row.Decimal("per_month_usd"));
        Assert.Equal(hour * 8760, row.Decimal("per_year_usd"));

        // The publisher multiplied some rows by 730.14 hours; all agree within 0.03 %.
        Assert.InRange(row.Decimal("per_month_usd") / month, 0.9997m, 1.0003m);
        Assert.InRange(row.Decimal("per_year_usd") / year, 0.9997m, 1.0003m);
    }

    [Fact]
    public async Task What_hides_behind_the_hour_adds_up()
    {
        var comparison = (await home.Cli.RunAsync("compare", "--gpu", "H100", "--count", "10", "--hidden", "--utilization", "0.5",
            "--json")).Succeeded().Json;
        foreach (var row in comparison.List("rows"))
        {
            var busy = row.Decimal("total_per_month_usd") - row.Decimal("idle_per_month_usd") - row.Decimal("egress_per_month_usd") - row.Decimal("storage_per_month_usd");
            Assert.True(busy > 0, row.ToString());
            var hidden = 100 * (row.Decimal("total_per_month_usd") / busy - 1);
            Assert.InRange(row.Decimal("hidden_percent"), hidden - 0.06m, hidden + 0.06m);
        }

        // 10 TB out of AWS a month, by its public ladder: 10,240 GB of it at $0.09 and none beyond.
        Assert.Equal(900m, comparison.List("rows").Single(row => row.Text("provider") == "AWS").Decimal("egress_per_month_usd"));
    }

    [Fact]
    public async Task Offers_are_filtered_and_cheapest_first()
    {
        var all = await OffersAsync();
        Assert.True(all.Count > 100);
        Assert.Equal(all.Select(o => o.Decimal("on_demand_usd_per_hour")).Order(), all.Select(o => o.Decimal("on_demand_usd_per_hour")));
        Assert.All(all, offer => Assert.True(offer.Text("source").Length > 0 && offer.Text("as_of").Length == 10, offer.ToString()));

        var certified = await OffersAsync("--gpu", "H100", "--cert", "hipaa", "--cert", "soc2", "--max-price", "60");
        Assert.NotEmpty(certified);
        Assert.All(certified, offer =>
        {
            Assert.StartsWith("H100", offer.Text("accelerator"), StringComparison.Ordinal);
            Assert.Superset(new HashSet<string> { "hipaa", "soc2" }, offer.List("certifications").Select(c => c.GetString()!).ToHashSet());
            Assert.InRange(offer.Decimal("on_demand_usd_per_hour"), 0.01m, 60m);
        });
        Assert.Equal(
            all.Where(o => o.Text("deployment_model") == "edge").Select(o => o.Text("id")).Order(StringComparer.Ordinal),
            (await OffersAsync("--model", "edge")).Select(o => o.Text("id")).Order(StringComparer.Ordinal));
        Assert.All(await OffersAsync("--region", "us-*"), offer => Assert.StartsWith("us-", offer.Text("region"),
            StringComparison.OrdinalIgnoreCase));
        Assert.All(await OffersAsync("--provider", "aws"), offer => Assert.Equal("AWS", offer.Text("provider")));
        Assert.Equal(2, (await home.Cli.RunAsync("offers", "--model", "cloudy")).ExitCode);
    }

    [Fact]
    public async Task A_place_that_cannot_be_is_refused_with_the_reason_of_every_offer()
    {
        var file = home.WriteFile("nowhere.yaml",
            "name: nowhere\nresources: {accelerators: H100:8}\nwhere: {residency: [AQ]}\nmoney: {max_price: $0.01/h}\nrun: train\n");
        var result = await home.Cli.RunAsync("plan", file, "--json");
        Assert.Equal(4, result.ExitCode);
        Assert.Empty(result.Json.List("candidates"));
        RequireShape(result.Json);
        Assert.All(result.Json.List("rejected"), rejection => Assert.Contains(rejection.List("reasons"), reason =>
            reason.Text("code") == "residency"));
        Assert.Contains(result.Json.List("rejected"), rejection => rejection.List("reasons").Count >= 2);
    }

    [Fact]
    public async Task At_keeps_a_plan_to_one_place()
    {
        var plan = (await home.Cli.RunAsync("plan", "examples/use-cases/fine-tuning.yaml", "--at", "AWS/us-east-1",
            "--json")).Succeeded().Json;
        Assert.All(plan.List("candidates"), c => Assert.Equal(("AWS", "us-east-1"), (c.GetProperty("offer").Text("provider"),
            c.GetProperty("offer").Text("region"))));
    }

    [Fact]
    public async Task Prices_are_imported_from_both_layouts_and_forgotten_again()
    {
        using var fresh = new TemporaryHome();
        var builtIn = await CountAsync(fresh, "io.net");
        var own = fresh.WriteFile("own.csv",
            """
            provider,deployment_model,region,country,instance_type,accelerator,accelerator_count,cpus,memory_gib,price_per_hour
            io.net,decentralized,mars,,rover,H100,1,16,128,1.25
            """);
        var imported = (await fresh.Cli.RunAsync("catalog", "import", own, "--as-of", "2026-06-01", "--json")).Succeeded().Json;
        Assert.Equal(1, imported.GetProperty("imported").GetInt32());
        var offer = Assert.Single(await OffersAsync(fresh, "--provider", "io.net"));
        Assert.Equal(("mars", 1.25m, "2026-06-01"), (offer.Text("region"), offer.Decimal("on_demand_usd_per_hour"), offer.Text("as_of")));
        (await fresh.Cli.RunAsync("catalog", "forget", "io.net")).Succeeded();
        Assert.Equal(builtIn, await CountAsync(fresh, "io.net"));
        Assert.Equal(3, (await fresh.Cli.RunAsync("catalog", "forget", "io.net")).ExitCode);

        // The public layout: two zones are one offer at the cheaper zone's price, and a price of nothing is no price.
        var skypilot = fresh.WriteFile("vms.csv",
            """
            InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,AvailabilityZone
            big.h100,H100,8,192,2048,"{'Gpus': [{'Name': 'H100', 'Manufacturer': 'NVIDIA', 'Count': 8, 'MemoryInfo': {'SizeInMiB': 81920}}], 'TotalGpuMemoryInMiB': 655360}",50.00,20.00,north,north-a
            big.h100,H100,8,192,2048,"{'Gpus': [{'Name': 'H100', 'Manufacturer': 'NVIDIA', 'Count': 8, 'MemoryInfo': {'SizeInMiB': 81920}}], 'TotalGpuMemoryInMiB': 655360}",48.00,,north,north-b
            free.thing,,,2,4,,0,,north,north-a
            """);
        var sky = (await fresh.Cli.RunAsync("catalog", "import", skypilot, "--provider", "Polar", "--mode", "add",
            "--json")).Succeeded().Json;
        Assert.Equal((1, 1), (sky.GetProperty("imported").GetInt32(), sky.GetProperty("skipped_count").GetInt32()));
        var polar = Assert.Single(await OffersAsync(fresh, "--provider", "Polar"));
        Assert.Equal(("north", 48m, 8), (polar.Text("region"), polar.Decimal("on_demand_usd_per_hour"),
            polar.GetProperty("accelerator_count").GetInt32()));
        var compared = (await fresh.Cli.RunAsync("compare", "--gpu", "H100", "--json")).Succeeded().Json;
        Assert.Contains(compared.List("rows"), row => row.Text("provider") == "Polar" && row.Decimal("per_gpu_hour_usd") == 6m);
    }

    [Fact]
    public async Task A_bad_row_names_its_line_and_nothing_is_imported()
    {
        using var fresh = new TemporaryHome();
        var before = await CountAsync(fresh, "AWS");
        var file = fresh.WriteFile("bad.csv",
            "provider,deployment_model,region,instance_type,price_per_hour\nAWS,hyperscaler,here,good,1.00\nAWS,cloudy,here,bad,1.00\nAWS,hyperscaler,here,worse,lots\n");
        var result = await fresh.Cli.RunAsync("catalog", "import", file);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("2 of 3 rows", result.Error, StringComparison.Ordinal);
        Assert.Contains("line 3", result.Error, StringComparison.Ordinal);
        Assert.Contains("line 4", result.Error, StringComparison.Ordinal);
        Assert.Equal(before, await CountAsync(fresh, "AWS"));
        Assert.DoesNotContain("imported", (await fresh.Cli.RunAsync("catalog")).Succeeded().Out, StringComparison.Ordinal);
    }

    /// <summary>What scripts rely on: every candidate's items make its total, best first, and every rejected offer has its
    /// reasons.</summary>
    private static void RequireShape(JsonElement plan)
    {
        var totals = new List<decimal>();
        foreach (var candidate in plan.List("candidates"))
        {
            RequireOffer(candidate.GetProperty("offer"));
            Assert.Equal(candidate.Decimal("total_usd"), candidate.List("items").Sum(item => item.Decimal("amount_usd")));
            Assert.All(candidate.List("items"), item => Assert.True(item.Text("kind").Length > 0 && item.Text("detail").Length > 0));
            totals.Add(candidate.Decimal("total_usd"));
        }

        Assert.Equal(totals.Order(), totals);
        foreach (var rejection in plan.List("rejected"))
        {
            RequireOffer(rejection.GetProperty("offer"));
            Assert.NotEmpty(rejection.List("reasons"));
            Assert.All(rejection.List("reasons"), reason => Assert.True(reason.Text("code").Length > 0
                && reason.Text("message").Length > 0));
        }
    }

    private static void RequireOffer(JsonElement offer)
    {
        foreach (var property in new[] { "provider", "deployment_model", "region", "instance_type" })
            Assert.NotEmpty(offer.Text(property));
        Assert.Contains(offer.Text("deployment_model"), new[] { "hyperscaler", "specialized", "edge", "decentralized", "on_premises" });
    }

    private Task<List<JsonElement>> OffersAsync(params string[] filters) => OffersAsync(home, filters);

    private static async Task<List<JsonElement>> OffersAsync(TemporaryHome home, params string[] filters) =>
        [.. (await home.Cli.RunAsync(["offers", "--json", .. filters])).Succeeded().Json.EnumerateArray()];

    private static async Task<int> CountAsync(TemporaryHome home, string provider) => (await OffersAsync(home, "--provider",
        provider)).Count;
}
