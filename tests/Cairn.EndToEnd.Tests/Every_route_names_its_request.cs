using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using Cairn.EndToEnd.Tests.Harness;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Cairn.EndToEnd.Tests;

/// <summary>Whatever is mapped, now and later, is asked as anybody and as an admin.</summary>
public sealed partial class Every_route_names_its_request
{
    [Fact]
    public async Task Whoever_asks_and_whatever_the_answer()
    {
        await using var host = await ServerInProcess.StartAsync();
        await Eventually.TrueAsync(() => ReadyAsync(host), "the gateway knows its models");
        var asked = Mapped(host).Where(route => !route.Path.StartsWith("/cairn.", StringComparison.Ordinal)).ToList(); // nodes' gRPC, on its own port
        Assert.Superset(
            new HashSet<string>(["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/responses/x", "/v1/models", "/v1/messages", "/v2/models/x/x", "/endpoints/x/x"]),
            asked.Select(route => route.Path).ToHashSet());

        foreach (var (method, path) in asked.Append(("GET", "/v1/x")).Append(("GET", "/api/v1/x")).Append(("GET", "/x")).Append(("PUT", "/v1/models")))
        {
            foreach (var key in new[] { null, "ck_x", host.Key })
                await NamesAsync(host, method, path, key);
        }
    }

    private static IEnumerable<(string Method, string Path)> Mapped(ServerInProcess host) =>
        from route in host.Server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let methods = route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET", "POST"]
        from method in methods.Count == 0 ? ["GET", "POST"] : methods
        select (method, "/" + Parameter().Replace(route.RoutePattern.RawText!.TrimStart('/'), "x"));

    private static async Task NamesAsync(ServerInProcess host, string method, string path, string? key)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method is "POST" or "PUT")
            request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
        request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        using var client = new HttpClient { BaseAddress = host.Client.BaseAddress };
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        var what = $"{method} {path} → {(int)answer.StatusCode}";
        Assert.True(answer.Headers.TryGetValues("x-request-id", out var ids) && ids.Single().StartsWith("req_", StringComparison.Ordinal), what);
        Assert.True(answer.Headers.TryGetValues("cairn-overhead-ms", out var times) && double.Parse(times.Single(), CultureInfo.InvariantCulture) >= 0, what);
        Assert.True((int)answer.StatusCode < 500, what);
        if (path.StartsWith("/v1/", StringComparison.Ordinal) && (int)answer.StatusCode >= 400)
            Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
    }

    private static async Task<bool> ReadyAsync(ServerInProcess host)
    {
        using var ready = await host.Client.GetAsync("/v2/health/ready", TestContext.Current.CancellationToken);
        return ready.IsSuccessStatusCode;
    }

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Parameter();
}
