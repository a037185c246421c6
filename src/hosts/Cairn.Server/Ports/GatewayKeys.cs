using Cairn.Contracts.Identity;
using Cairn.Server.Identity;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Server.Ports;

/// <summary>Every live key of a member or an admin may call its project's models.</summary>
internal sealed class GatewayKeys(Keyring keyring) : IGatewayKeys
{
    public long Version => keyring.Version;

    public IReadOnlyCollection<GatewayKey> All() =>
    [
        .. keyring.Keys.Where(key => !key.Revoked && key.Role >= Role.Member).Select(key => new GatewayKey
        {
            Id = key.Id, Name = key.Name, SecretHash = Convert.FromHexString(key.SecretHash), Project = key.ProjectId, ExpiresAt = key.ExpiresAt,
        }),
    ];
}
