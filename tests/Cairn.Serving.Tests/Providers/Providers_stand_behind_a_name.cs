using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Providers;
using Cairn.Serving.Tests.Gateway;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cairn.Serving.Tests.Providers;

public sealed class Providers_stand_behind_a_name
{
    private const string Secret = "sk-very-secret-1234";
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_provider_answers_alone_with_its_own_key_name_and_price()
    {
        await using var outside = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        Serve(host, [], Model("chat", outside, upstream: "acme-large", output: 3));

        using var response = await host.ChatAsync("chat");

        Assert.Equal(200, (int)response.StatusCode);
        var (path, body, headers) = Assert.Single(outside.Asked);
        Assert.Equal("/v1/chat/completions", path);
        Assert.Contains("\"acme-large\"", body, StringComparison.Ordinal);
        Assert.Equal("Bearer " + Secret, headers["Authorization"]);
        Assert.False(headers.ContainsKey("x-cairn-caller"));
        var (subject, sum) = await host.BookedAsync();
        Assert.Equal((null, "acme", new Money(7 * 1 + 2 * 3)), (subject.Endpoint, subject.Provider, sum.Cost));
    }

    [Fact]
    public async Task A_fallback_is_asked_only_when_every_replica_failed()
    {
        await using var own = await FakeReplica.StartAsync();
        await using var outside = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        var route = host.Serve("tiny", own);
        Serve(host, [route], Model("tiny", outside, output: 5) with { Weight = 0 });

        for (var i = 0; i < 20; i++)
        {
            (await host.ChatAsync("tiny")).EnsureSuccessStatusCode().Dispose();
            await host.BookedAsync();
        }
        Assert.Empty(outside.Asked);

        own.Answering = context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        using var response = await host.ChatAsync("tiny");
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Single(outside.Asked);
        Assert.Equal("acme", (await host.BookedAsync()).Subject.Provider);
    }

    [Fact]
    public async Task A_sleeping_endpoint_s_provider_answers_soon_and_the_endpoint_is_woken()
    {
        await using var outside = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        var route = host.Serve("tiny");
        Serve(host, [route], Model("tiny", outside) with { Weight = 0 });
        using var response = await host.ChatAsync("tiny").WaitAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(200, (int)response.StatusCode);
        Assert.NotEmpty(host.Woken);
    }

    [Fact]
    public async Task The_dearest_target_is_reserved_for_so_that_a_fallback_cannot_break_a_budget()
    {
        await using var own = await FakeReplica.StartAsync();
        await using var outside = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Limits = new KeyLimits { Budget = Money.FromUsd(0.01m) };
        var route = host.Serve("tiny", own);

        // 100 tokens of output at $1 per million are far below the budget, at $1,000 they are above it.
        (await host.ChatAsync("tiny")).EnsureSuccessStatusCode().Dispose();
        Serve(host, [route], Model("tiny", outside, output: 1000) with { Weight = 0 });
        using var refused = await host.ChatAsync("tiny");
        Assert.Equal(429, (int)refused.StatusCode);
        Assert.Equal("insufficient_quota", (string?)(await GatewayHost.JsonOf(refused))["error"]!["code"]);
    }

    [Fact]
    public void A_credential_is_opened_for_the_gateway_and_shown_nowhere()
    {
        var book = new ProviderBook(new CredentialSeal((_, text) => "sealed:" + text, (_, text) => text["sealed:".Length..]), NullLogger<ProviderBook>.Instance);
        var changes = 0;
        book.Changed += () => changes++;
        ProviderModelView[] models = [new() { Model = "a", InputPrice = 1 }, new() { Model = "b", UpstreamModel = "up", Fallback = true }];
        var row = new ProviderRow
        {
            Id = Guid.CreateVersion7(s_now), ProjectId = ProjectId.New(s_now), Name = "acme", BaseUrl = "https://api.example.com/v1", Sealed = "sealed:" + Secret, Models = new(models),
        };

        book.Renew([row]);
        book.Renew([row]);

        Assert.Equal((1, 1L), (changes, book.Version));
        var targets = book.Targets();
        Assert.All(targets, t => Assert.Equal(Secret, t.Target.Credential));
        Assert.All(targets, t => Assert.DoesNotContain(Secret, t.ToString(), StringComparison.Ordinal));
        Assert.Equal([("a", "a", 100), ("b", "up", 0)], targets.Select(t => (t.Name.Model, t.Target.UpstreamModel, t.Target.Weight)));
        book.Renew([]);
        Assert.Empty(book.Targets());
    }

    [Theory]
    [InlineData("https://api.example.com/v1", null)]
    [InlineData("http://127.0.0.1:8000/v1", null)]
    [InlineData("http://localhost:8000", null)]
    [InlineData("https://10.1.2.3/v1", null)]
    [InlineData("http://10.1.2.3/v1", "without TLS")]
    [InlineData("http://api.example.com/v1", "without TLS")]
    [InlineData("https://169.254.169.254/latest", "link-local")]
    [InlineData("https://[fe80::1]/v1", "link-local")]
    [InlineData("https://[::ffff:169.254.169.254]/v1", "link-local")]
    [InlineData("https://user:pass@api.example.com/v1", "user")]
    [InlineData("https://api.example.com/v1?key=1", "query")]
    [InlineData("ftp://api.example.com", "expected such as")]
    [InlineData("api.example.com", "expected such as")]
    [InlineData("file:///etc/passwd", "expected such as")]
    public void An_address_is_checked(string url, string? problem)
    {
        var problems = ProviderChecks.Problems(new AddProviderRequest { Name = "acme", BaseUrl = url, Models = [new() { Model = "a" }] });
        if (problem is null)
            Assert.Empty(problems);
        else
            Assert.Contains(problem, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_mistake_is_told_at_once_and_no_credential_is_repeated()
    {
        var problems = ProviderChecks.Problems(new AddProviderRequest
        {
            Name = "Acme!", BaseUrl = "nowhere", Dialect = "french", Credential = "sk-with\r\nnewline",
            Models = [new() { Model = "", InputPrice = -1, Weight = 0, ContextLength = -1 }, new() { Model = "x" }, new() { Model = "x" }],
        });
        Assert.Equal(9, problems.Count);
        Assert.DoesNotContain(problems, p => p.Contains("sk-with", StringComparison.Ordinal));
    }

    private static void Serve(GatewayHost host, IReadOnlyList<ModelRoute> endpoints, params ProviderTarget[] targets)
    {
        var name = endpoints.Count > 0 ? endpoints[0].Name : new ModelName(host.Project, "chat");
        host.Models.Clear();
        host.Models.AddRange(ProviderRoutes.Merge(endpoints, [.. targets.Select(t => (name, t, 0, s_now))]));
        host.Push();
    }

    private static ProviderTarget Model(string model, FakeReplica outside, string? upstream = null, decimal output = 1) => new()
    {
        Name = "acme", BaseUrl = new Uri(outside.Address, "/v1"), Dialect = ApiDialect.OpenAi, Credential = Secret, UpstreamModel = upstream ?? model,
        Prices = new TokenPrices(Money.FromUsd(1), Money.FromUsd(output)),
    };
}
