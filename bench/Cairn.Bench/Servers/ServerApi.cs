using System.Net.Http.Headers;
using System.Net.Http.Json;
using Cairn.Contracts.Api;

namespace Cairn.Bench.Servers;

/// <summary>What the loads ask of the REST API besides the load itself.</summary>
internal sealed class ServerApi : IDisposable
{
    private readonly HttpClient _http;

    public ServerApi(ServerProcess server)
    {
        _http = new HttpClient { BaseAddress = new Uri(server.Http + "/api/v1/") };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.Key);
    }

    public async Task<string> JoinTokenAsync() =>
        (await PostAsync<JoinTokenView>("join-tokens", new CreateJoinTokenRequest { ValidSeconds = 3_600, MaxUses = 100_000, Note = "simulated daemons" })).Token!;

    public Task GrantAsync(decimal usd) => PostAsync<BalanceView>("projects/default/credits", new GrantCreditsRequest(Contracts.Units.Money.FromUsd(usd), "load"));

    public async Task<AuditView> AuditAsync() => (await _http.GetFromJsonAsync<AuditView>("ledger/audit", ApiJson.Compact))!;

    public async Task<JobView> JobAsync(string job) => (await _http.GetFromJsonAsync<JobView>($"jobs/{job}", ApiJson.Compact))!;

    public async Task<IReadOnlyList<JobView>> JobsAsync(int limit) => (await _http.GetFromJsonAsync<Page<JobView>>($"jobs?limit={limit}", ApiJson.Compact))!.Items;

    public async Task<EndpointView> EndpointAsync(string name) => (await _http.GetFromJsonAsync<EndpointView>($"endpoints/{name}", ApiJson.Compact))!;

    public async Task<bool> HasEndpointsAsync() => (await _http.GetFromJsonAsync<Page<EndpointView>>("endpoints", ApiJson.Compact))!.Items.Count > 0;

    public Task StopEndpointAsync(string name) => PostAsync<EndpointView>($"endpoints/{name}/stop", new { });

    public void Dispose() => _http.Dispose();

    internal sealed record AuditView(bool Ok, IReadOnlyList<string> Findings);

    private async Task<T> PostAsync<T>(string path, object body)
    {
        using var response = await _http.PostAsJsonAsync(path, body, ApiJson.Compact);
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"POST {path} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        return (await response.Content.ReadFromJsonAsync<T>(ApiJson.Compact))!;
    }
}
