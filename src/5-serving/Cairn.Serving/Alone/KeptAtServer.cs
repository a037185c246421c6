using System.Net;
using System.Net.Http.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Responses;

namespace Cairn.Serving.Alone;

/// <summary>Responses are kept by the server, while it is there.</summary>
internal sealed class KeptAtServer(ServerLink link) : IKeepsResponses
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    public bool IsAway => link.IsAway;

    public async Task<bool> KeepAsync(KeptResponse response, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "responses") { Content = JsonContent.Create(response, options: ApiJson.Compact) };
            using var answer = await SendAsync(request, cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (KeeperAwayException)
        {
            return false;
        }
    }

    public async Task<KeptResponse?> FindAsync(ProjectId project, string id, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, PathOf(project, id));
        using var answer = await SendAsync(request, cancellationToken);
        return answer.StatusCode == HttpStatusCode.NotFound ? null : await answer.Content.ReadFromJsonAsync<KeptResponse>(ApiJson.Compact, cancellationToken);
    }

    public async Task<bool> ForgetAsync(ProjectId project, string id, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, PathOf(project, id));
        using var answer = await SendAsync(request, cancellationToken);
        return answer.StatusCode != HttpStatusCode.NotFound;
    }

    private static string PathOf(ProjectId project, string id) => $"responses/{project.Value}/{Uri.EscapeDataString(id)}";

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (link.IsAway)
            throw new KeeperAwayException("The server is away.");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        try
        {
            var answer = await link.OpenAsync(request, patience.Token);
            if (answer.IsSuccessStatusCode || answer.StatusCode == HttpStatusCode.NotFound)
                return answer;
            answer.Dispose();
            throw new KeeperAwayException($"The server answers {(int)answer.StatusCode}.");
        }
        catch (Exception failed) when (failed is HttpRequestException or ServerRefusedException
            || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new KeeperAwayException("The server does not answer.", failed);
        }
    }
}
