import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { aZip } from '../../src/gateway/compile/testing/packing.js';
import { shapes } from './shapes-contract.js';

const header = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;
`;

/** Small contracts on the large ones, as a project has them: by path. */
const sources: Readonly<Record<string, string>> = {
  'contracts/Tokens.sol': `${header}
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721URIStorage} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721URIStorage.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC1155Supply} from "@openzeppelin/contracts/token/ERC1155/extensions/ERC1155Supply.sol";

/// @notice A token that can be burned, and spent by signature.
contract MyToken is ERC20, ERC20Burnable, ERC20Permit {
    constructor(address holder, uint256 supply) ERC20("My Token", "MTK") ERC20Permit("My Token") { _mint(holder, supply); }
}

/// @notice Things of which there is only one.
contract MyNft is ERC721, ERC721URIStorage, Ownable {
    constructor(address owner) ERC721("My Nft", "NFT") Ownable(owner) {}

    function mint(address to, uint256 tokenId, string calldata uri) external onlyOwner {
        _safeMint(to, tokenId);
        _setTokenURI(tokenId, uri);
    }

    function tokenURI(uint256 tokenId) public view override(ERC721, ERC721URIStorage) returns (string memory) { return super.tokenURI(tokenId); }
    function supportsInterface(bytes4 interfaceId) public view override(ERC721, ERC721URIStorage) returns (bool) { return super.supportsInterface(interfaceId); }
}

/// @notice Things of which there are many.
contract MyItems is ERC1155, ERC1155Supply {
    constructor(string memory uri) ERC1155(uri) {}

    function mint(address to, uint256 id, uint256 amount, bytes calldata data) external { _mint(to, id, amount, data); }
    function mintBatch(address to, uint256[] calldata ids, uint256[] calldata amounts, bytes calldata data) external { _mintBatch(to, ids, amounts, data); }
    function _update(address from, address to, uint256[] memory ids, uint256[] memory values) internal override(ERC1155, ERC1155Supply) { super._update(from, to, ids, values); }
}
`,
  'contracts/Governance.sol': `${header}
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {GovernorVotesQuorumFraction} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";

/// @notice A token that votes.
contract MyVotes is ERC20, ERC20Permit, ERC20Votes {
    constructor(address holder, uint256 supply) ERC20("My Votes", "VOTE") ERC20Permit("My Votes") { _mint(holder, supply); }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) { super._update(from, to, value); }
    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) { return super.nonces(owner); }
}

/// @notice Decides.
contract MyGovernor is Governor, GovernorSettings, GovernorCountingSimple, GovernorVotes, GovernorVotesQuorumFraction {
    constructor(IVotes token, uint48 delay, uint32 period)
        Governor("My Governor") GovernorSettings(delay, period, 1) GovernorVotes(token) GovernorVotesQuorumFraction(4) {}

    function votingDelay() public view override(Governor, GovernorSettings) returns (uint256) { return super.votingDelay(); }
    function votingPeriod() public view override(Governor, GovernorSettings) returns (uint256) { return super.votingPeriod(); }
    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) { return super.proposalThreshold(); }
    function quorum(uint256 timepoint) public view override(Governor, GovernorVotesQuorumFraction) returns (uint256) { return super.quorum(timepoint); }
}
`,
  'contracts/Shapes.sol': shapes,
};

/** A project with everything it imports, zipped like somebody would hand it over. */
export function openZeppelinProject(): Buffer {
  const modules = join(process.cwd(), 'node_modules');
  const root = join(modules, '@openzeppelin', 'contracts');
  const imported = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.sol'))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const name = relative(dirname(modules), path).split(sep).join('/');
      return { name, content: readFileSync(path) };
    });
  const own = Object.entries(sources).map(([name, content]) => ({ name, content }));
  return aZip([...own, ...imported]);
}
