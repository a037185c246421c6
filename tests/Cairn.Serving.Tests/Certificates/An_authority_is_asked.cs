using System.Net;
using Cairn.Serving.Certificates;
using Cairn.Serving.Certificates.Acme;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cairn.Serving.Tests.Certificates;

/// <summary>Against Pebble, Let's Encrypt's test authority, which refuses a fifth of all good nonces; and where it cannot be made to fail, against a stub that only refuses.</summary>
[Trait("speed", "slow")]
public sealed class An_authority_is_asked
{
    [Fact]
    public async Task For_the_servers_name_and_endpoints_names_and_again_in_time()
    {
        await using var host = await AcmeHost.StartAsync();
        await using var pebble = await Pebble.StartAsync(host.Tls.PlainPort);
        host.Use(pebble.Address, pebble.TransportRoot);
        await host.NameAsync("chat.example.com");

        await host.RunAsync();

        Assert.Null(host.Renewal.StandingOf("cairn.example.com")?.Problem);
        var root = await pebble.RootAsync();
        var first = await host.Tls.SeenAsync("chat.example.com", root);
        var own = await host.Tls.SeenAsync("cairn.example.com", root);
        Assert.NotEqual(first.SerialNumber, own.SerialNumber);
        Assert.All(Directory.EnumerateFiles(host.Folder, "*", SearchOption.AllDirectories), file =>
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));

        // The same account again, as after a restart, and nothing is due.
        host.Use(pebble.Address, pebble.TransportRoot);
        await host.RunAsync();
        Assert.Equal(first.SerialNumber, (await host.Tls.SeenAsync("chat.example.com", root)).SerialNumber);

        var life = first.NotAfter - first.NotBefore;
        host.Advance(life * (2 / 3.0) - TimeSpan.FromHours(1));
        await host.RunAsync();
        Assert.Equal(first.SerialNumber, (await host.Tls.SeenAsync("chat.example.com", root)).SerialNumber);
        host.Advance(TimeSpan.FromHours(1) + life / 20);
        await host.RunAsync();
        Assert.NotEqual(first.SerialNumber, (await host.Tls.SeenAsync("chat.example.com", root)).SerialNumber);
        Assert.NotEqual(own.SerialNumber, (await host.Tls.SeenAsync("cairn.example.com", root)).SerialNumber);
    }

    [Fact]
    public async Task Not_before_the_ports_are_open_at_which_it_asks_back()
    {
        await using var host = await AcmeHost.StartAsync();
        host.Use(new Uri("https://127.0.0.1:1/dir"), null);
        var lifetime = new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance);
        var turn = CertificateHosting.AcmeTurns(host.Renewal, lifetime).ReconcileAsync(null, TestContext.Current.CancellationToken);
        Assert.False(turn.IsCompleted);
        lifetime.NotifyStarted();
        await turn;
        Assert.NotNull(host.Renewal.StandingOf("cairn.example.com"));
    }

    [Fact]
    public async Task With_an_account_that_exists_there()
    {
        await using var host = await AcmeHost.StartAsync();
        await using var pebble = await Pebble.StartAsync(host.Tls.PlainPort, bindsAccounts: true);
        host.Use(pebble.Address, pebble.TransportRoot);
        await host.RunAsync();
        Assert.Contains("--acme-eab-key-id", host.Renewal.StandingOf("cairn.example.com")!.Problem, StringComparison.Ordinal);

        host.Use(pebble.Address, pebble.TransportRoot, "kid-1");
        await host.RunAsync();
        Assert.Null(host.Renewal.StandingOf("cairn.example.com"));
        await host.Tls.SeenAsync("cairn.example.com", await pebble.RootAsync());
    }

    [Fact]
    public async Task A_name_that_is_not_ours_is_told_and_tried_later_while_the_old_certificate_goes_on()
    {
        await using var host = await AcmeHost.StartAsync();
        await using var pebble = await Pebble.StartAsync(host.Tls.PlainPort);
        await using var other = await AcmeHost.StartAsync();
        host.Use(pebble.Address, pebble.TransportRoot);
        await host.RunAsync();
        var root = await pebble.RootAsync();
        var first = (await host.Tls.SeenAsync("cairn.example.com", root)).SerialNumber;

        // Names lead to the first server, so that the second cannot prove that they are its own.
        other.Use(pebble.Address, pebble.TransportRoot, null, "cairn.example.com", "two.example.com");
        await other.RunAsync();
        foreach (var name in new[] { "cairn.example.com", "two.example.com" })
        {
            var standing = other.Renewal.StandingOf(name)!;
            Assert.Equal(1, standing.Failures);
            Assert.Contains($"the proof that {name} is this server's is invalid", standing.Problem, StringComparison.Ordinal);
            Assert.InRange(standing.Next - other.Now, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5));
        }
        await other.RunAsync();
        Assert.Equal(1, other.Renewal.StandingOf("two.example.com")!.Failures);
        other.Advance(TimeSpan.FromMinutes(6));
        await other.RunAsync();
        Assert.Equal(2, other.Renewal.StandingOf("two.example.com")!.Failures);

        // What is there answers, whatever becomes of its renewal.
        host.Use(new Uri("https://127.0.0.1:1/dir"), pebble.TransportRoot);
        host.Advance(TimeSpan.FromDays(365 * 10));
        await host.RunAsync();
        Assert.Contains("does not answer", host.Renewal.StandingOf("cairn.example.com")!.Problem, StringComparison.Ordinal);
        Assert.Equal(first, (await host.Tls.SeenAsync("cairn.example.com", root)).SerialNumber);
    }

    [Fact]
    public async Task An_authority_that_has_enough_is_left_alone_for_as_long_as_it_says()
    {
        await using var stub = await RefusingStub.StartAsync();
        await using var host = await AcmeHost.StartAsync();
        host.Use(stub.Directory, null, null, "one.example.com", "two.example.com");

        await host.RunAsync();

        var standing = host.Renewal.StandingOf("one.example.com")!;
        Assert.Contains("Slow down", standing.Problem, StringComparison.Ordinal);
        Assert.InRange(standing.Next - host.Now, TimeSpan.FromSeconds(7100), TimeSpan.FromSeconds(7200));
        Assert.Null(host.Renewal.StandingOf("two.example.com"));
        host.Advance(TimeSpan.FromMinutes(30));
        await host.RunAsync();
        Assert.Equal(1, stub.Orders);
        host.Advance(TimeSpan.FromHours(2));
        await host.RunAsync();
        Assert.Equal(2, stub.Orders);
    }

    [Fact]
    public void Pauses_double_up_to_a_day_and_keep_to_what_the_authority_asks()
    {
        var now = DateTimeOffset.UnixEpoch;
        Assert.Equal([5.0, 10, 20, 40], Enumerable.Range(1, 4).Select(n => (AcmeSchedule.Again(now, n, null) - now).TotalMinutes));
        Assert.Equal(TimeSpan.FromDays(1), AcmeSchedule.Again(now, 12, null) - now);
        Assert.Equal(TimeSpan.FromDays(1), AcmeSchedule.Again(now, 2000, TimeSpan.FromSeconds(1)) - now);
        Assert.Equal(TimeSpan.FromDays(7), AcmeSchedule.Again(now, 1, TimeSpan.FromDays(7)) - now);
    }

    [Fact]
    public void Renewals_are_spread_over_days_and_never_late()
    {
        var (begins, ends) = (DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(90));
        var days = Enumerable.Range(0, 200).Select(n => (AcmeSchedule.Renewal($"{n}.example.com", begins, ends) - begins).TotalDays).ToList();
        Assert.All(days, day => Assert.InRange(day, 60, 64.5));
        Assert.True(days.Max() - days.Min() > 3);
    }

    /// <summary>Not an authority: it lets accounts in, counts orders and refuses every one for two hours.</summary>
    private sealed class RefusingStub(WebApplication app) : IAsyncDisposable
    {
        private int _orders;

        public int Orders => _orders;

        public Uri Directory => new(new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()), "/dir");

        public static async Task<RefusingStub> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
            var app = builder.Build();
            var stub = new RefusingStub(app);
            app.Run(stub.AnswerAsync);
            await app.StartAsync();
            return stub;
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private async Task AnswerAsync(HttpContext context)
        {
            var at = $"http://{context.Request.Host}";
            context.Response.Headers["Replay-Nonce"] = $"n{Guid.NewGuid():N}";
            switch (context.Request.Path.Value)
            {
                case "/dir":
                    await context.Response.WriteAsJsonAsync(new { newNonce = at + "/nonce", newAccount = at + "/account", newOrder = at + "/order" });
                    break;
                case "/account":
                    (context.Response.StatusCode, context.Response.Headers.Location) = (201, at + "/account/1");
                    await context.Response.WriteAsync("{}");
                    break;
                case "/order":
                    Interlocked.Increment(ref _orders);
                    (context.Response.StatusCode, context.Response.Headers.RetryAfter) = (429, "7200");
                    await context.Response.WriteAsync("""{"type":"urn:ietf:params:acme:error:rateLimited","detail":"Slow down"}""");
                    break;
            }
        }
    }
}
